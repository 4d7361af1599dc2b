// ^C and its like: counted, so that a change can end in good order.
#pragma once

namespace topo::cli {

/// From now on SIGINT, SIGTERM and SIGHUP are counted and do nothing else, and a closed output pipe ends nothing.
void count_interrupts();

/// How many came; two within 300 ms are one.
[[nodiscard]] int interrupts();

}  // namespace topo::cli
