#include "reach/services.hpp"

#include <algorithm>

#include "reach/words.hpp"

namespace topo::reach {
namespace {

constexpr std::uint32_t last_port = 65535;

}  // namespace

Services::Services(const Spans& spans, Verdict verdict) {
  if (spans.empty()) return;
  Intervals named[2];
  const bool has_rest = spans.back().service.protocol == Protocol::any;
  rest_ = icmp_ = has_rest && spans.back().ruled.verdict == verdict;
  for (const Span& span : spans) {
    const PortRange& service = span.service;
    const bool is = span.ruled.verdict == verdict;
    if (service.protocol == Protocol::icmp) icmp_ = is;
    if (service.protocol != Protocol::tcp && service.protocol != Protocol::udp) continue;
    const std::size_t which = service.protocol == Protocol::tcp ? 0 : 1;
    named[which].emplace_back(service.first, service.last);
    Intervals& own = which == 0 ? tcp_ : udp_;
    if (is) own = united(own, {{service.first, service.last}});
  }
  if (!rest_) return;
  tcp_ = united(tcp_, minus({{0, last_port}}, named[0]));
  udp_ = united(udp_, minus({{0, last_port}}, named[1]));
}

Services Services::of(const std::vector<PortRange>& ranges) {
  Services made;
  for (const PortRange& range : ranges) {
    if (range.protocol == Protocol::any) return Services().inverted();
    if (range.protocol == Protocol::icmp) made.icmp_ = true;
    Intervals own{{range.first, range.last}};
    if (range.protocol == Protocol::tcp) made.tcp_ = united(made.tcp_, own);
    if (range.protocol == Protocol::udp) made.udp_ = united(made.udp_, own);
  }
  return ranges.empty() ? Services().inverted() : made;
}

Services::Intervals Services::united(const Intervals& a, const Intervals& b) {
  Intervals all = a, made;
  all.insert(all.end(), b.begin(), b.end());
  std::sort(all.begin(), all.end());
  for (const auto& [first, last] : all) {
    if (!made.empty() && first <= made.back().second + 1) {
      made.back().second = std::max(made.back().second, last);
    } else {
      made.emplace_back(first, last);
    }
  }
  return made;
}

Services::Intervals Services::minus(const Intervals& a, const Intervals& b) {
  Intervals made;
  for (auto [first, last] : a) {
    for (const auto& [from, to] : b) {
      if (to < first || from > last) continue;
      if (from > first) made.emplace_back(first, from - 1);
      first = to + 1;
    }
    if (first <= last) made.emplace_back(first, last);
  }
  return made;
}

Services Services::inverted() const {
  Services made;
  made.tcp_ = minus({{0, last_port}}, tcp_);
  made.udp_ = minus({{0, last_port}}, udp_);
  made.icmp_ = !icmp_;
  made.rest_ = !rest_;
  return made;
}

void Services::unite(const Services& other) {
  tcp_ = united(tcp_, other.tcp_);
  udp_ = united(udp_, other.udp_);
  icmp_ = icmp_ || other.icmp_;
  rest_ = rest_ || other.rest_;
}

Services Services::without(const Services& other) const {
  Services made;
  made.tcp_ = minus(tcp_, other.tcp_);
  made.udp_ = minus(udp_, other.udp_);
  made.icmp_ = icmp_ && !other.icmp_;
  made.rest_ = rest_ && !other.rest_;
  return made;
}

Services Services::both(const Services& other) const { return without(other.inverted()); }

bool Services::all() const { return inverted().empty(); }

std::vector<PortRange> Services::ranges() const {
  std::vector<PortRange> found;
  const auto add = [&](const Intervals& intervals, Protocol protocol) {
    for (const auto& [first, last] : intervals) found.push_back({protocol, static_cast<std::uint16_t>(first), static_cast<std::uint16_t>(last)});
  };
  add(tcp_, Protocol::tcp);
  add(udp_, Protocol::udp);
  if (icmp_) found.push_back({Protocol::icmp, 0, static_cast<std::uint16_t>(last_port)});
  if (rest_) found.push_back({Protocol::any, 0, static_cast<std::uint16_t>(last_port)});
  return found;
}

std::string Services::text() const {
  if (all()) return "all";
  const auto listed = [](const Services& services) {
    std::string list;
    for (const PortRange& range : services.ranges()) list += (list.empty() ? "" : ", ") + to_text(range);
    return list;
  };
  return rest_ ? "all but " + listed(inverted()) : listed(*this);
}

}  // namespace topo::reach
