// What is wrong with a machine, before something is applied to it.
#pragma once

#include <string>
#include <vector>

#include "graph/graph.hpp"
#include "topo/error.hpp"
#include "topo/firewall.hpp"

namespace topo::doctor {

struct Finding {
  enum class Grade {
    ok,
    note,     ///< worth knowing
    warning,  ///< may be in the way
    problem,  ///< is in the way
    missing,  ///< a privilege or a feature of the kernel that is needed
  };
  std::string subject;
  Grade grade = Grade::ok;
  std::string words;   ///< may be empty where all is well
  std::string remedy;  ///< commands
};
using Findings = std::vector<Finding>;

/// "ok", "note", "warning", "problem", "missing"
[[nodiscard]] const char* to_string(Finding::Grade grade);

/// A topology that is to be applied.
struct Patient {
  std::string name;
  const Graph* desired = nullptr;
  std::string operands;  ///< of a command that applies it, as a shell takes them: its file and what is set for that
};

/// What on this host is in the way of `patients`, or with none of them of any topology. Needs the privilege to read the network; changes nothing.
[[nodiscard]] Findings examine_host(const std::vector<Patient>& patients, FirewallChoice firewall);

/// How far users without privilege can have private hosts. `is_needed`: the caller is one of them.
[[nodiscard]] Finding examine_user_namespaces(bool is_needed);

/// Kernel modules that are missing and that nobody loads by itself.
enum class Modules {
  load,   ///< as apply does
  leave,  ///< say which they are
  out_of_reach,
};

/// Applies small topologies, one for each thing that a topology can need of the kernel, and `patients`, on a private host, so that what the kernel
/// lacks is said by whoever misses it. With patients only what they lack counts. The process is on that host from here on.
[[nodiscard]] Findings examine_kernel(const std::vector<Patient>& patients, Modules modules, FirewallChoice firewall);

}  // namespace topo::doctor
