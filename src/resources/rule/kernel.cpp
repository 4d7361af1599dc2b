#include "resources/rule/kernel.hpp"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>

#include <cerrno>

#include "topo/names.hpp"

namespace topo {
namespace {

kernel::Message message_for(int type, int flags, const RoutingRule& rule) {
  fib_rule_hdr fixed{};
  fixed.family = rule.family == Family::v4 ? AF_INET : AF_INET6;
  fixed.action = FR_ACT_TO_TBL;
  fixed.table = rule.table < 256 ? static_cast<std::uint8_t>(rule.table) : static_cast<std::uint8_t>(RT_TABLE_UNSPEC);
  fixed.src_len = rule.from ? rule.from->prefix() : 0;
  fixed.dst_len = rule.to ? rule.to->prefix() : 0;
  kernel::Message message(type, flags, fixed, 256);
  message.put_u32(FRA_TABLE, rule.table);
  message.put_u32(FRA_PRIORITY, rule.priority);
  if (rule.from && rule.from->prefix() != 0) message.put_address(FRA_SRC, rule.from->address());
  if (rule.to && rule.to->prefix() != 0) message.put_address(FRA_DST, rule.to->address());
  if (!rule.iif.empty()) message.put_text(FRA_IIFNAME, rule.iif);
  return message;
}

}  // namespace

Result<void> KernelHalf<RoutingRule>::create(const RoutingRule& wanted, Execution& execution) {
  kernel::Message message = message_for(RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, wanted);
  message.put_u8(FRA_PROTOCOL, owner_protocol);
  execution.work.batch(kernel::Work::Step::configure, wanted.ns).add(std::move(message), "cannot add rule " + wanted.title());
  return {};
}

Result<void> KernelHalf<RoutingRule>::update(const RoutingRule&, const RoutingRule&, Execution&) { return {}; }  // it is all identity

Result<void> KernelHalf<RoutingRule>::remove(const RoutingRule& live, Execution& execution) {
  execution.work.batch(kernel::Work::Step::configure, live.ns).add(message_for(RTM_DELRULE, 0, live), "cannot remove rule " + live.title(), {ENOENT});
  return {};
}

Result<void> KernelHalf<RoutingRule>::observe(const Reading& reading, Graph& live) {
  for (const auto& [ns, place] : reading.places) {
    for (const auto& record : place->snapshot.rules) {
      if (record.action != FR_ACT_TO_TBL || record.more) continue;
      // ip-rule(8) leaves the protocol of what an administrator adds unspecified.
      const bool by_administrator = record.protocol == RTPROT_UNSPEC || record.protocol == RTPROT_BOOT || record.protocol == RTPROT_STATIC;
      if (record.protocol != owner_protocol && !by_administrator) continue;
      RoutingRule rule{ns, record.family, record.priority, record.from, record.to, record.iif, record.table};
      // The host's rules do not say which topology's they are.
      if (ns.empty() && (record.protocol != owner_protocol || reading.desired.find("rule " + rule.key()) == nullptr)) continue;
      live.put(std::move(rule));
    }
  }
  return {};
}

}  // namespace topo
