#!/usr/bin/env python3
"""How often prompt-lookup guesses are right where a text is told again, and what they save.

Each of some stories of a text file (blank lines or <|endoftext|> between them) becomes a prompt, "STORY The story again,
in short:", and is continued greedily with guesses and without, in turns. Prints, for the model: guesses that were right,
of how many, the tokens written, and the speed with guesses over that without (median of the stories, first and third
quartile). Ends with status 1 if a text with guesses is not the text without.

usage: drafting_on_summaries.py MODEL STORIES [--tern build/tern] [--stories 30] [--draft-max 4] [-n 60] [--threads 2]
"""
import argparse
import json
import re
import statistics
import subprocess
import sys
import tempfile

LENGTH = range(350, 620)  # characters: with the answer they fit into a context of 256 tokens


def run(args, prompt_file: str, draft_max: int) -> dict:
    command = [args.tern, "run", "-m", args.model, "-f", prompt_file, "-n", str(args.n), "--temp", "0", "--json",
               "--threads", str(args.threads), "--draft-max", str(draft_max)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("file")
    parser.add_argument("--tern", default="build/tern")
    parser.add_argument("--stories", type=int, default=30)
    parser.add_argument("--draft-max", type=int, default=4)
    parser.add_argument("-n", type=int, default=60)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    with open(args.file, encoding="utf-8", errors="replace") as file:
        text = file.read(4_000_000)
    stories = [s.strip() for s in re.split(r"<\|endoftext\|>|\n\n\n", text)]
    stories = [s for s in stories if len(s) in LENGTH][: args.stories]
    if len(stories) < 2:
        print(f"{args.file}: fewer than two stories of {LENGTH.start} to {LENGTH.stop} characters", file=sys.stderr)
        return 1
    right, guessed, tokens, ratios = 0, 0, 0, []
    for story in stories:
        with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as prompt:
            prompt.write(story + "\n\nThe story again, in short: ")
            prompt.flush()
            plain = run(args, prompt.name, 0)
            drafted = run(args, prompt.name, args.draft_max)
        if plain["text"] != drafted["text"]:
            print("with guesses the text is another", file=sys.stderr)
            return 1
        right += drafted["n_accepted"]
        guessed += drafted["n_drafted"]
        tokens += drafted["n_generated"]
        ratios.append(drafted["generate_tokens_per_second"] / plain["generate_tokens_per_second"])
    quartiles = statistics.quantiles(ratios, n=4)
    print(f"{len(stories)} stories, {tokens} tokens: {right} of {guessed} guesses right; "
          f"speed with over without {quartiles[1]:.2f} ({quartiles[0]:.2f} to {quartiles[2]:.2f})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
