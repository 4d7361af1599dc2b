#include "cli/clock.hpp"
#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "cli/unconfirmed.hpp"

namespace topo::cli {
namespace {

constexpr const char* format = "topo.rollback/1";

}  // namespace

Exit rollback(const Arguments& arguments) {
  using State = Confirmation::State;
  const auto demanded = demand_of(arguments, take_change_back);
  if (!demanded) return complain(demanded.error(), arguments, format);
  const auto& [topology, known] = *demanded;
  if (known.state == State::taken_back) {
    return conclude(topology, "taken back", "taken back at " + clock_text(known.when), arguments, format);
  }
  if (known.state == State::abandoned) {
    return complain({Exit::rolled_back,
                     "cannot go back: the process that held the earlier state was killed; nothing was touched",
                     {},
                     {},
                     "topo confirm " + topology + " keeps what is there; or apply what shall be",
                     {}},
                    arguments, format);
  }
  if (known.state == State::waiting && known.trouble) {
    Error error = *known.trouble;
    error.details.push_back("it is tried again every few seconds; topo confirm " + topology + " keeps what is there");
    return complain(error, arguments, format);
  }
  return complain(undecided(topology, known), arguments, format);
}

}  // namespace topo::cli
