// A change that is taken back unless somebody confirms it: what is known of it, and how it is kept or taken back at once.
#pragma once

#include <chrono>
#include <ctime>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "topo/error.hpp"
#include "topo/names.hpp"

namespace topo {

struct Confirmation {
  enum class State {
    none,         ///< nothing is known: kept, or never to be confirmed
    applying,     ///< is being made
    waiting,      ///< taken back when `left` is over
    taking_back,  ///< is being taken back
    kept,         ///< confirmed just now
    taken_back,   ///< at `when`
    abandoned,    ///< the process that held the earlier state was killed: the change stays, and nobody confirmed it
    silent,       ///< that process lives and does not answer
  };
  State state = State::none;
  std::chrono::milliseconds left{0};
  std::time_t when = 0;
  int process = 0;               ///< the one that holds the earlier state; 0 where none does
  std::optional<Error> trouble;  ///< why it could not be taken back the last time that it was tried
};

/// One of them as a process says it to another.
[[nodiscard]] std::string to_message(const Confirmation& confirmation);
/// Takes one off the front of `in`; nullopt where there is no whole one.
[[nodiscard]] std::optional<Confirmation> take_message(std::string_view& in);

/// What is known of the last change of `topology`. Changes nothing; waits some seconds for a process that does not answer.
[[nodiscard]] Confirmation confirmation_of(const std::string& topology, const std::string& folder = state_folder);

/// Exit::conflict, with what to do, where somebody holds an earlier state of `topology`. Waits for no answer.
[[nodiscard]] std::optional<Error> pending_error(const std::string& topology, const std::string& folder = state_folder);

struct DemandOptions {
  std::string folder = state_folder;
  std::chrono::milliseconds lock_timeout{30'000};  ///< how long whoever takes it back waits for other topos, and for the lock of iptables
  std::function<bool()> stop;                      ///< true: wait no longer
};

/// Keeps the change. What comes of it: kept (with `trouble` where a part of it is taken back), taken_back where that was first, abandoned where
/// it is kept since nobody would take it back any more, none, applying, silent; or taking_back, where `stop` said so meanwhile.
/// Errors: locked, interrupted, where the process that held the earlier state was killed and what it was doing is still going on.
[[nodiscard]] Result<Confirmation> keep_change(const std::string& topology, const DemandOptions& options);

/// Has the change taken back at once, and waits until it is. What comes of it: taken_back, waiting with `trouble` where that failed (and it
/// is tried again), none, abandoned, applying, silent; or taking_back, where `stop` said so meanwhile. Errors as above.
[[nodiscard]] Result<Confirmation> take_change_back(const std::string& topology, const DemandOptions& options);

}  // namespace topo
