// What a Guard's process does: it waits, answers, and takes the change back.
#pragma once

#include "apply/confirm/guard.hpp"
#include "apply/confirm/way_back.hpp"

namespace topo {

/// What the two say to each other over their line, a byte each.
enum class Word : char {
  ready = 'r',      ///< the process: it answers whoever asks
  armed = 'a',      ///< the one that makes the change: it has succeeded; then the process: the time runs
  dismissed = 'd',  ///< the one that makes the change: it failed, and is taken back already as far as it could be
};

/// Serves until the change is kept or taken back, and ends the process. `line` leads to the one that makes the change; it hears `ready`, or an Error as
/// append_field writes it.
[[noreturn]] void guard(kernel::FileDescriptor line, const Earlier& earlier, const Guard::KernelsThatWait& kernels, const Guard::Options& options);

}  // namespace topo
