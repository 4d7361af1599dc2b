#include "cli/clock.hpp"
#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "cli/unconfirmed.hpp"

namespace topo::cli {
namespace {

constexpr const char* format = "topo.confirm/1";

}  // namespace

Exit confirm(const Arguments& arguments) {
  using State = Confirmation::State;
  const auto demanded = demand_of(arguments, keep_change);
  if (!demanded) return complain(demanded.error(), arguments, format);
  const auto& [topology, known] = *demanded;
  if (known.state == State::abandoned) {
    return conclude(topology, "kept", "kept; the process that was to take it back was gone", arguments, format);
  }
  if (known.state == State::taken_back) {
    return complain({Exit::rolled_back, "too late: the change of " + topology + " was taken back at " + clock_text(known.when), {}, {}, {}, {}},
                    arguments, format);
  }
  if (known.state != State::kept) return complain(undecided(topology, known), arguments, format);
  if (known.trouble) {
    Error error = *known.trouble;
    error.what = "kept as it is, which is not as it was applied: it could be taken back in part only: " + error.what;
    return complain(error, arguments, format);
  }
  return conclude(topology, "kept", "kept", arguments, format);
}

}  // namespace topo::cli
