#include "report/export.hpp"

#include "cli/commands.hpp"
#include "cli/live.hpp"
#include "cli/output.hpp"
#include "cli/privilege.hpp"

namespace topo::cli {
namespace {

constexpr const char* format = "topo.export/1";

}  // namespace

Exit export_topology(const Arguments& arguments) {
  if (auto allowed = need_privilege("read the network"); !allowed) return complain(allowed.error(), arguments, format);
  drop_privileges();
  const auto names = topologies_here(arguments.operands);
  if (!names) return complain(names.error(), arguments, format);
  if (names->size() > 1) return complain(several_here(*names, "name one"), arguments, format);
  if (names->empty()) return complain(Error{Exit::invalid, "no topology is here", {}, {}, {}, {}}, arguments, format);
  const auto planned = plan_graph(live_kernels(lock_timeout(arguments)), Graph(names->front()));
  if (!planned) return complain(planned.error(), arguments, format);
  std::string file = report::topology_file(planned->observed.live);
  if (arguments.format == Format::json) {
    say_json({{"format", format}, {"topology", names->front()}, {"file", file}});
  } else {
    file.erase(file.find_last_not_of('\n') + 1);
    say(file);
  }
  return Exit::ok;
}

}  // namespace topo::cli
