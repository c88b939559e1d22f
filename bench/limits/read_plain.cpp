// The loop for processors without the vector sets: whatever the compiler makes of adding words up. One file, no flags.
#include "read_loops.hpp"
#include "region.hpp"

namespace limits {

ReadLoops plain_read_loops() {
  static constexpr NamedReadLoop kLoops[] = {{"8-byte words", plain_sum}};
  return {kLoops, 1};
}

}  // namespace limits
