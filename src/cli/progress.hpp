// How far long work is: one line on a terminal, which the next output takes away again.
#pragma once

#include <cstddef>

namespace topo::cli {

/// Draws where standard error is a terminal and the program has run for half a second, at most ten times a second.
void show_progress(const char* step, std::size_t done, std::size_t total);

/// Takes the line away.
void clear_progress();

}  // namespace topo::cli
