"""Prints the first outputs of xoshiro256** seeded by splitmix64, as tests/unit/base/numbers_test.cpp expects them.
Written from Blackman and Vigna, "Scrambled linear pseudorandom number generators", and Steele et al., "Fast splittable
pseudorandom number generators". Needs nothing but Python."""

MASK = (1 << 64) - 1


def splitmix(seed):
    while True:
        seed = (seed + 0x9E3779B97F4A7C15) & MASK
        z = seed
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        yield z ^ (z >> 31)


def rotl(x, k):
    return ((x << k) | (x >> (64 - k))) & MASK


def xoshiro(seed):
    stream = splitmix(seed)
    s = [next(stream) for _ in range(4)]
    while True:
        yield (rotl((s[1] * 5) & MASK, 7) * 9) & MASK
        t = (s[1] << 17) & MASK
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= t
        s[3] = rotl(s[3], 45)


if __name__ == "__main__":
    for seed in (0, 42):
        numbers = xoshiro(seed)
        print(seed, [hex(next(numbers)) for _ in range(3)])
