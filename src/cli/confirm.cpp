#include "cli/commands.hpp"
#include "cli/interrupt.hpp"
#include "cli/output.hpp"
#include "cli/privilege.hpp"
#include "cli/unconfirmed.hpp"

namespace topo::cli {
namespace {

constexpr const char* format = "topo.confirm/1";

}  // namespace

Exit confirm(const Arguments& arguments) {
  using State = Confirmation::State;
  if (auto allowed = need_privilege("change the network"); !allowed) return complain(allowed.error(), arguments, format);
  drop_privileges();
  count_interrupts();
  const auto topology = unconfirmed_topology(arguments);
  if (!topology) return complain(topology.error(), arguments, format);
  const auto known = keep_change(*topology, demand_options(arguments));
  if (!known) return complain(known.error(), arguments, format);
  if (known->state == State::abandoned) {
    return conclude(*topology, "kept", "kept; the process that was to take it back was gone", arguments, format);
  }
  if (known->state == State::taken_back) {
    return complain({Exit::rolled_back, "too late: the change of " + *topology + " was taken back at " + clock_text(known->when), {}, {}, {}, {}},
                    arguments, format);
  }
  if (known->state != State::kept) return complain(undecided(*topology, *known), arguments, format);
  if (known->trouble) {
    Error error = *known->trouble;
    error.what = "kept as it is, which is not as it was applied: it could be taken back in part only: " + error.what;
    return complain(error, arguments, format);
  }
  return conclude(*topology, "kept", "kept", arguments, format);
}

}  // namespace topo::cli
