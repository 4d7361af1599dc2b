#include "cli/examples.hpp"

#include <map>

namespace topo::cli {

std::string examples_of(const std::string& command) {
  static const std::map<std::string, const char*> examples{
      {"validate",
       "  topo validate three-tier.yaml\n"
       "  topo validate labs/                              # every *.yaml of a folder\n"
       "  topo validate -o json - < three-tier.yaml\n"},
      {"diff",
       "  topo diff three-tier.yaml                        # exit code 1: apply would change something\n"
       "  topo diff                                        # what somebody changed since\n"
       "  topo diff -o json three-tier.yaml\n"},
      {"apply",
       "  topo apply three-tier.yaml\n"
       "  topo apply --set size=3 replicas.yaml            # a variable of the file\n"
       "  topo apply three-tier.yaml --confirm 60s         # taken back unless topo confirm comes in time\n"
       "  topo apply -y labs/                              # without a question, for scripts\n"},
      {"destroy",
       "  topo destroy three-tier                          # by name\n"
       "  topo destroy -y three-tier.yaml                  # by file, of which only the name is read\n"
       "  topo destroy -y --all\n"},
      {"confirm",
       "  topo apply three-tier.yaml --confirm 60s\n"
       "  topo confirm\n"},
      {"rollback",
       "  topo apply three-tier.yaml --confirm 60s\n"
       "  topo rollback\n"},
      {"status",
       "  topo status\n"
       "  topo status three-tier --watch\n"
       "  topo status -o json\n"},
      {"exec",
       "  topo exec web-server -- ip address\n"
       "  topo exec web-server -- env DEBUG=1 printenv DEBUG\n"},
      {"shell", "  topo shell web-server\n"},
      {"logs",
       "  topo logs                                        # of all commands that run in namespaces here\n"
       "  topo logs web-server/server --follow\n"},
      {"test",
       "  topo test three-tier.yaml\n"
       "  topo test --all                                  # every pair of what was last applied\n"
       "  topo test -o junit three-tier.yaml > report.xml\n"},
      {"explain",
       "  topo explain three-tier.yaml web-server db-server:5432\n"
       "  topo explain --live internet host:80             # by the kernel's own rules\n"
       "  topo explain frontend backend:53/udp\n"},
      {"run",
       "  topo run three-tier.yaml -- ip route             # without root, and nothing is left\n"
       "  topo run three-tier.yaml --in web-server -- ping -c 1 192.168.20.10\n"
       "  topo run three-tier.yaml --outside -- topo test\n"},
      {"export", "  topo export three-tier > copy.yaml\n"},
      {"doctor",
       "  topo doctor\n"
       "  topo doctor three-tier.yaml                      # what this file needs\n"
       "  topo doctor --fix\n"},
      {"graph",
       "  topo graph three-tier.yaml > lab.svg\n"
       "  topo graph three-tier.yaml --open                # in the browser, to look around in\n"
       "  topo graph -o html --live three-tier > lab.html  # with what has drifted in colour\n"},
      {"schema", "  topo schema > topology.schema.json\n"},
      {"completion",
       "  eval \"$(topo completion bash)\"                   # in ~/.bashrc\n"
       "  topo completion fish > ~/.config/fish/completions/topo.fish\n"},
      {"version", "  topo version -o json\n"},
  };
  const auto found = examples.find(command);
  return found == examples.end() ? std::string() : found->second;
}

}  // namespace topo::cli
