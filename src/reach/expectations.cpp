#include "reach/expectations.hpp"

#include "reach/meetings.hpp"
#include "reach/picture.hpp"
#include "reach/words.hpp"

namespace topo::reach {
namespace {

constexpr std::array<Family, 2> families{Family::v4, Family::v6};

/// "db:3306/tcp", "db (all but 22/tcp)", "db".
std::string told(const std::string& name, const Services& services) {
  const auto ranges = services.ranges();
  if (ranges.size() == 1 && ranges.front().protocol != Protocol::any) return name + ":" + to_text(ranges.front());
  return services.all() ? name : name + " (" + services.text() + ")";
}

class Checking {
 public:
  explicit Checking(const Topology& topology, const Desired& desired) : picture_(topology, desired.graph, desired.intent) {}

  void check(const FlowSpec& flow, bool allows) {
    const NamedSet *from = names().find(flow.from.value), *to = names().find(flow.to.value);
    if (from == nullptr || to == nullptr) return;  // load has said so
    check(flow, *from, *to, allows);
    if (flow.both_ways) check(flow, *to, *from, allows);
  }

  [[nodiscard]] std::vector<Diagnostic> take() { return std::move(unmet_); }

 private:
  [[nodiscard]] const Names& names() const { return picture_.names(); }

  /// The first pair for which it does not hold: one mistake a flow is enough.
  void check(const FlowSpec& flow, const NamedSet& from, const NamedSet& to, bool allows) {
    if (!unmet_.empty() && unmet_.back().at == flow.at) return;
    const Services wanted = Services::of(flow.ports);
    for (const Meeting& meeting : meetings_of(names(), from, to)) {
      bool meets = false;
      for (const Family family : families) {
        if (!meets_in(picture_.model(), meeting, family)) continue;
        meets = true;
        const Services allowed = allowed_in(picture_.model(), meeting, family);
        const Services wrong = allows ? wanted.without(allowed) : wanted.both(allowed);
        if (!wrong.empty()) return refuse(flow, meeting, family, wrong, allows);
      }
      if (!meets && allows) return refuse(flow, meeting, "they have no addresses of one family", {}, wanted, allows);
    }
  }

  void refuse(const FlowSpec& flow, const Meeting& meeting, Family family, const Services& wrong, bool allows) {
    const auto decided = deciding(picture_.model(), meeting, family, wrong, !allows);
    if (!decided) return refuse(flow, meeting, "no port map leads there", {}, wrong, allows);
    refuse(flow, meeting, text_of(picture_.model(), meeting.sender, decided->target, decided->span.ruled),
           position_of(picture_.model(), decided->span.ruled.reason), wrong, allows);
  }

  void refuse(const FlowSpec& flow, const Meeting& meeting, const std::string& why, const Position& at, const Services& wrong, bool allows) {
    const std::string who = name_of_sender(names(), meeting) + (allows ? " cannot reach " : " can reach ");
    unmet_.push_back(
        {flow.at, "expected to be " + std::string(allows ? "allowed, but " : "denied, but ") + who + told(name_of_receiver(names(), meeting), wrong),
         why + (at.line == 0 ? "" : ": line " + std::to_string(at.line)), static_cast<std::uint16_t>(std::min<std::size_t>(flow.text.size(), 200))});
  }

  Picture picture_;
  std::vector<Diagnostic> unmet_;
};

}  // namespace

std::vector<Diagnostic> unmet_expectations(const Topology& topology, const Desired& desired) {
  if (topology.expect.allow.empty() && topology.expect.deny.empty()) return {};
  Checking checking(topology, desired);
  for (const FlowSpec& flow : topology.expect.allow) checking.check(flow, true);
  for (const FlowSpec& flow : topology.expect.deny) checking.check(flow, false);
  return checking.take();
}

}  // namespace topo::reach
