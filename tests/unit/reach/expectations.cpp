// What a file expects of itself, and what it is told where it does not keep that.
#include "reach/expectations.hpp"

#include "pictured.hpp"

using namespace topo;
using namespace topo::test;

namespace {

const std::string shop =
    "bridges: { front: { subnet: 10.1.0.0/24, nat: masquerade }, back: { subnet: 10.2.0.0/24 }, data: { subnet: 10.3.0.0/24 } }\n"
    "namespaces:\n"
    "  web: { replicas: 2, attach: front }\n"
    "  api: { attach: [back, data] }\n"
    "  db: { attach: data }\n"
    "  lone: { attach: data, gateway: none }\n"
    "zones: { office: [203.0.113.0/24] }\n"
    "ports: { 80: web1:8080 }\n"
    "policy:\n"
    "  allow:\n"
    "    - front -> back:9000\n"
    "    - front -> lone\n";

/// Of what is expected, "message (hint)" each.
Lines unmet(const std::string& allow, const std::string& deny) {
  const auto all = pictured(shop + "expect: { allow: [" + allow + "], deny: [" + deny + "] }\n");
  Lines lines;
  for (const auto& mistake : reach::unmet_expectations(all->topology, all->desired)) {
    CHECK(mistake.at.line == 14);
    lines.push_back(mistake.message + " (" + mistake.hint + ")");
  }
  return lines;
}

}  // namespace

TEST_CASE("what a file keeps is no mistake") {
  CHECK(unmet("front -> back:9000, front <-> front, front -> internet:443, any -> host, internet -> web1:8080", "").empty());
  CHECK(unmet("", "front -> db, \"web[*] -> api:22\", internet -> web2, internet -> web1:80, db -> front, internet -> office").empty());
  CHECK(unmet("", "").empty());
}

TEST_CASE("what is expected to be possible and is not") {
  CHECK(unmet("front -> back", "") ==
        Lines{"expected to be allowed, but web1 cannot reach api (all but 9000/tcp) (no allow names it, and between bridges the default is deny)"});
  CHECK(unmet("front -> back:9000-9001", "") ==
        Lines{"expected to be allowed, but web1 cannot reach api:9001/tcp (no allow names it, and between bridges the default is deny)"});
  CHECK(unmet("internet -> web1:80", "").size() == 1);
  CHECK(unmet("\"internet -> web[*]:8080\"", "") ==
        Lines{"expected to be allowed, but office cannot reach web2:8080/tcp (no allow and no port map lets it in from outside)"});
  CHECK(unmet("front -> lone", "") ==
        Lines{"expected to be allowed, but web1 cannot reach lone (the answer is lost: lone has no route to 10.1.0.2)"});
}

TEST_CASE("what is expected to be impossible and is possible") {
  CHECK(unmet("", "web2 -> api:8000-10000") == Lines{"expected to be denied, but web2 can reach api:9000/tcp (allow front -> back:9000: line 12)"});
  CHECK(unmet("", "front <-> back") == Lines{"expected to be denied, but web1 can reach api:9000/tcp (allow front -> back:9000: line 12)"});
  CHECK(unmet("", "internet -> any") == Lines{"expected to be denied, but office can reach web1:8080/tcp (port 80/tcp -> web1:8080: line 9)"});
  CHECK(unmet("", "any -> office").size() == 1);
}
