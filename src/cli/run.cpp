#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "apply/bridge_filter.hpp"
#include "cli/commands.hpp"
#include "cli/inputs.hpp"
#include "cli/inside.hpp"
#include "cli/interrupt.hpp"
#include "cli/launch.hpp"
#include "cli/live.hpp"
#include "cli/output.hpp"
#include "cli/privilege.hpp"
#include "cli/progress.hpp"
#include "cli/relay.hpp"
#include "kernel/outside.hpp"
#include "kernel/private_host.hpp"
#include "topo/names.hpp"

namespace topo::cli {
namespace {

using kernel::Outside;

/// The subnets of the outside must not be the private host's by another way.
Result<void> check_subnets(const Graph& desired) {
  for (const auto* address : desired.all<Address>()) {
    for (const char* const text : Outside::addresses) {
      const Cidr taken = Cidr::parse(text)->network(), network = address->address.network();
      if (!address->ns.empty() || !network.overlaps(taken)) continue;
      return Error{Exit::invalid,
                   "the subnet " + network.to_string() + " of " + address->interface + " overlaps " + taken.to_string() + ", which is the outside's",
                   {},
                   {},
                   "give " + address->interface + " another subnet, or leave --outside away",
                   {}};
    }
  }
  return {};
}

/// What only the whole of the files and options shows to be wrong.
Result<void> check(const std::vector<Input>& inputs, const Arguments& arguments) {
  std::vector<std::string> names;
  if (arguments.outside) names.emplace_back(Outside::ns);
  for (const auto& input : inputs) {
    for (const auto* ns : input.desired.graph.all<Namespace>()) names.push_back(ns->name);
    if (!arguments.outside) continue;
    if (auto fits = check_subnets(input.desired.graph); !fits) return fits;
  }
  if (arguments.in.empty() || std::find(names.begin(), names.end(), arguments.in) != names.end()) return {};
  const auto near = nearest(arguments.in, names);
  return Error{Exit::invalid, "there will be no namespace " + arguments.in, {}, {}, near ? "did you mean '" + *near + "'?" : "", {}};
}

Exit apply_one(const Input& input, const Arguments& arguments) {
  const std::string& name = input.topology.name.value;
  ApplyOptions options;
  options.lock_first = true;
  options.interrupts = interrupts;
  options.agree = [](const Plan&, const Observed& observed) {
    for (const auto& warning : observed.warnings) warn(warning.to_string());
    return true;
  };
  options.done = [&] { keep(name, {input.topology.sources, arguments.set}); };
  const auto outcome = apply_graph(live_kernels(options.lock_timeout, arguments.firewall.value_or(FirewallChoice::automatic)), input.desired.graph, options);
  return outcome ? Exit::ok : complain(outcome.error());
}

/// In a child. Standard output is the command's alone.
int prepare(const std::vector<Input>& inputs, const Arguments& arguments) {
  const bool lays_over_etc = std::any_of(inputs.begin(), inputs.end(), [](const Input& it) { return !it.desired.graph.all<Etc>().empty(); });
  if (auto furnished = kernel::furnish(lays_over_etc); !furnished) return static_cast<int>(complain(furnished.error()));
  if (arguments.outside) {
    if (auto made = kernel::make_outside(); !made) return static_cast<int>(complain(made.error()));
  }
  if (auto prepared = prepare_launcher(inputs); !prepared) return static_cast<int>(complain(prepared.error()));
  drop_privileges();
  count_interrupts();
  Exit exit = Exit::ok;
  for (const auto& input : inputs) {
    if (exit == Exit::ok) exit = interrupts() > 0 ? Exit::interrupted : apply_one(input, arguments);
  }
  clear_progress();
  return static_cast<int>(exit);
}

/// In a child, which the command takes the place of, with the caller's environment and open files.
int execute(const std::string& ns, std::vector<std::string> command) {
  if (!ns.empty()) {
    if (auto entered = enter_named(ns); !entered) return static_cast<int>(complain(entered.error()));
  }
  std::vector<char*> words;
  for (auto& word : command) words.push_back(word.data());
  words.push_back(nullptr);
  ::execvp(words.front(), words.data());
  return cannot_run(command.front(), errno);
}

/// A private host that has the kernel load br_netfilter would change the machine's bridges, so that is seen to here first.
Result<void> prepare_machine(const std::vector<Input>& inputs, bool is_privileged) {
  const bool filters = std::any_of(inputs.begin(), inputs.end(), [](const Input& input) { return filters_in_bridges(input.desired.graph); });
  return filters ? provide_bridge_filter(is_privileged) : Result<void>();
}

int run_in_private(const std::vector<Input>& inputs, const Arguments& arguments) {
  Relay relay;
  // The machine's lock of iptables is none of the private host's.
  ::unsetenv("XTABLES_LOCKFILE");
  const bool is_privileged = static_cast<bool>(need_privilege("make a private host"));
  if (auto prepared = prepare_machine(inputs, is_privileged); !prepared) return static_cast<int>(complain(prepared.error()));
  if (!is_privileged) {
    if (auto became = kernel::become_root(); !became) return static_cast<int>(complain(became.error()));
  }
  const auto host = kernel::PrivateHost::make();
  if (!host) return static_cast<int>(complain(host.error()));
  auto code = relay.run([&] { return prepare(inputs, arguments); });
  if (code && *code == 0 && relay.interrupted()) {
    code = static_cast<int>(complain(Error{Exit::interrupted, "interrupted; the command was not started", {}, {}, {}, {}}));
  }
  if (code && *code == 0) code = relay.run([&] { return execute(arguments.in, arguments.command_line); });
  return code ? *code : static_cast<int>(complain(code.error()));
}

}  // namespace

int run(const Arguments& arguments) {
  if (arguments.command_line.empty())
    return static_cast<int>(complain(Error{Exit::invalid, "no command to run", {}, {}, "usage: topo run FILE... -- COMMAND...", {}}));
  const auto inputs = load_inputs(arguments, "topo.run/1");
  if (!inputs) return static_cast<int>(Exit::invalid);
  if (auto good = check(*inputs, arguments); !good) return static_cast<int>(complain(good.error()));
  const int code = run_in_private(*inputs, arguments);
  // This process is not in the /proc that it sees, in which whatever runs at a program's end may look for it.
  std::fflush(nullptr);
  std::_Exit(code);
}

}  // namespace topo::cli
