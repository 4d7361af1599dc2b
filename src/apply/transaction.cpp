#include "apply/transaction.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "apply/confirm/confirmation.hpp"
#include "apply/confirm/rendezvous.hpp"

namespace topo {
namespace {

bool same(const Plan& a, const Plan& b) {
  return std::equal(a.changes.begin(), a.changes.end(), b.changes.begin(), b.changes.end(),
                    [](const Change& x, const Change& y) { return x.action == y.action && x.before == y.before && x.after == y.after; });
}

/// One line for each object of `plan`, a plan from what is to what was wanted, that is not as it was. `wanted` is the word between the two values.
std::vector<std::string> shortfall(const Plan& plan, const std::string& wanted) {
  std::vector<std::string> lines;
  std::set<Id> recreated;  // their removal is in the plan as well
  for (const auto& change : plan.changes) {
    if (change.action == Change::Action::recreate) recreated.insert(id_of(*change.after));
  }
  for (const auto& change : plan.changes) {
    const Resource& resource = change.before ? *change.before : *change.after;
    if (!change.after && recreated.count(id_of(resource)) != 0) continue;
    if (change.before == change.after) continue;  // the way there would have spoilt it
    const std::string name = std::string(kind_of(resource)) + " " + title_of(resource);
    const std::string summary = summary_of(resource);
    const std::string whole = name + (summary.empty() ? "" : " (" + summary + ")");
    if (!change.before) {
      const std::string_view lost = lost_by_itself(resource);
      lines.push_back(whole + " is missing" + (lost.empty() ? "" : ": it has " + std::string(lost)));
    } else if (!change.after) {
      lines.push_back(whole + " is left");
    } else {
      std::string line = name + " differs";
      for (const auto& difference : change.differences) {
        line += std::string(&difference == change.differences.data() ? ": " : ", ") + difference.attribute + " is " +
                (difference.before.empty() ? "unset" : difference.before) + ", " + wanted + " " +
                (difference.after.empty() ? "unset" : difference.after);
      }
      lines.push_back(std::move(line));
    }
  }
  return lines;
}

/// What is there, and the plan from there to `desired`.
Result<Planned> look(const Kernels& kernels, const Graph& desired, const Graph* applied = nullptr) {
  auto kernel = kernels();
  if (!kernel) return std::move(kernel).error();
  auto live = (*kernel)->observe(desired);
  if (!live) return std::move(live).error();
  auto settled = (*kernel)->settle(desired);
  if (!settled) return std::move(settled).error();
  auto settled_then = applied != nullptr ? (*kernel)->settle(*applied, true) : Result<std::optional<Graph>>(std::nullopt);
  if (!settled_then) return std::move(settled_then).error();
  Plan plan = diff(*live, *settled ? **settled : desired, *settled_then ? &**settled_then : applied);
  return Planned{std::move(*kernel), {{}, std::move(*live)}, std::move(plan), std::move(*settled)};
}

class Transaction {
 public:
  Transaction(const Kernels& kernels, const Graph& desired, const ApplyOptions& options) : kernels_(kernels), desired_(desired), options_(options) {}

  Result<Outcome> run() {
    if (auto error = pending()) return *std::move(error);
    if (options_.lock_first) {
      if (auto locks = take_locks(std::chrono::milliseconds(0))) return look_and_change(nullptr);
    }
    // Without the locks another topo may be half-way, so what this look says is trusted only where it is good news.
    auto first = plan_graph(kernels_, desired_, options_.applied);
    if (first && first->plan.empty()) return Outcome{{desired_.topology(), {}}, std::move(first->observed.warnings), false};
    const bool shown = first && !conflict_of(first->observed, desired_.topology(), options_.take_port);
    if (shown && !agreed(*first)) return refused(std::move(*first));
    if (first) first->kernel.reset();

    auto locks = take_locks(options_.lock_timeout);
    if (!locks) return std::move(locks).error();
    return look_and_change(shown ? &first->plan : nullptr);
  }

 private:
  [[nodiscard]] int interrupts() const { return options_.interrupts ? options_.interrupts() : 0; }
  [[nodiscard]] bool agreed(const Planned& seen) const { return !options_.agree || options_.agree(seen.plan, seen.observed); }

  [[nodiscard]] Result<Locks> take_locks(std::chrono::milliseconds timeout) const {
    return Locks::take(options_.folder, desired_.topology(), timeout, [this] { return interrupts() > 0; });
  }

  /// Without the locks another topo may have begun what waits to be confirmed, and with them none can.
  [[nodiscard]] std::optional<Error> pending() const {
    return options_.takes_back ? std::nullopt : pending_error(desired_.topology(), options_.folder);
  }

  /// Under the locks. `known`: the plan that was agreed to already, if one was.
  Result<Outcome> look_and_change(const Plan* known) {
    if (auto error = pending()) return *std::move(error);
    auto seen = plan_graph(kernels_, desired_, options_.applied);
    if (!seen) return std::move(seen).error();
    if (seen->plan.empty()) return finish(std::move(*seen));
    if (auto error = conflict_of(seen->observed, desired_.topology(), options_.take_port)) return *std::move(error);
    if (!(known != nullptr && same(*known, seen->plan)) && !agreed(*seen)) return refused(std::move(*seen));
    return change(std::move(*seen));
  }

  /// Under the locks: makes the change, and has the witness told.
  Result<Outcome> change(Planned seen) {
    if (!options_.takes_back) {
      // What an earlier change left to say of its confirmation is of no use to anybody now.
      if (auto cleared = rendezvous::clear(options_.folder, desired_.topology()); !cleared) return std::move(cleared).error();
    }
    if (options_.witness == nullptr) return perform(std::move(seen));
    if (auto begun = options_.witness->begins(seen.observed.live); !begun) return std::move(begun).error();
    auto outcome = perform(std::move(seen));
    if (!outcome) options_.witness->failed();
    return outcome;
  }

  /// Performs the plan of `seen`, and goes back to what `seen` saw should it fail.
  Result<Outcome> perform(Planned seen) {
    auto performed = seen.kernel->perform(seen.plan, [this] { return interrupts() > 0; });
    seen.kernel.reset();
    if (!performed) return roll_back(seen, std::move(performed).error());
    if (interrupts() > 0) return roll_back(seen, Error{Exit::interrupted, "interrupted", {}, {}, {}, {}});
    auto after = look(kernels_, desired_);
    if (!after) return roll_back(seen, std::move(after).error());
    if (!after->plan.empty()) {
      return roll_back(
          seen, Error{Exit::rolled_back, "the kernel took every change, but is not in the desired state", {}, {}, {}, shortfall(after->plan, "not")});
    }
    if (options_.witness != nullptr) {
      if (auto told = options_.witness->succeeded(); !told) return roll_back(seen, std::move(told).error());
    }
    after->plan = std::move(seen.plan);
    after->observed.warnings = std::move(seen.observed.warnings);
    return finish(std::move(*after));
  }

  static Result<Outcome> refused(Planned seen) { return Outcome{std::move(seen.plan), std::move(seen.observed.warnings), true}; }

  Result<Outcome> finish(Planned seen) {
    if (options_.done) options_.done();
    seen.plan.topology = desired_.topology();
    return Outcome{std::move(seen.plan), std::move(seen.observed.warnings), false};
  }

  /// Brings the kernel from whatever is there now to `earlier`, and says how far that went. A failed change may be partly made, so each
  /// attempt begins with a new look.
  Error roll_back(const Planned& before, Error cause) {
    constexpr int attempts = 2;
    const Graph& earlier = before.observed.live;
    std::vector<std::string> trouble;
    for (int attempt = 0;; ++attempt) {
      auto now = look(kernels_, earlier);
      if (!now) {
        trouble.push_back("cannot read what is there: " + now.error().to_string());
        if (attempt < attempts) continue;
        return left_over(std::move(cause), unknown(before.plan), trouble);
      }
      if (now->plan.empty()) return undone(std::move(cause));
      if (attempt == attempts || interrupts() > 1) return left_over(std::move(cause), shortfall(now->plan, "was"), trouble);
      if (auto performed = now->kernel->perform(now->plan, [this] { return interrupts() > 1; }); !performed) {
        trouble.push_back("rolling back: " + performed.error().to_string());
      }
    }
  }

  static Error undone(Error cause) {
    constexpr std::array kept{Exit::unsupported, Exit::conflict, Exit::locked, Exit::interrupted};
    if (std::find(kept.begin(), kept.end(), cause.exit) == kept.end()) cause.exit = Exit::rolled_back;
    cause.details.emplace_back("rolled back: everything is as it was before");
    return cause;
  }

  static Error left_over(Error cause, std::vector<std::string> left, const std::vector<std::string>& trouble) {
    cause.exit = Exit::left_over;
    cause.details.insert(cause.details.end(), trouble.begin(), trouble.end());
    cause.details.emplace_back("not wholly rolled back; what differs from before:");
    for (auto& line : left) cause.details.push_back("  " + std::move(line));
    cause.remedy += std::string(cause.remedy.empty() ? "" : "; then ") + "apply again, or destroy the topology";
    return cause;
  }

  /// What may have been touched, where it cannot be read.
  static std::vector<std::string> unknown(const Plan& plan) {
    std::vector<std::string> lines;
    for (const auto& change : plan.changes) {
      const Resource& resource = change.before ? *change.before : *change.after;
      lines.push_back(std::string(kind_of(resource)) + " " + title_of(resource) + " may have been changed");
    }
    return lines;
  }

  const Kernels& kernels_;
  const Graph& desired_;
  const ApplyOptions& options_;
};

}  // namespace

std::optional<Error> conflict_of(const Observed& observed, const std::string& topology, bool take_port) {
  Error error{Exit::conflict, "something that is not " + topology + "'s stands in the way; nothing was touched", {}, {}, {}, {}};
  bool listens = false, exists = false;
  for (const auto& obstacle : observed.obstacles) {
    if (obstacle.listener && take_port) continue;
    error.details.push_back(obstacle.what + ": " + obstacle.why);
    (obstacle.listener ? listens : exists) = true;
  }
  if (error.details.empty()) return std::nullopt;
  if (exists) error.remedy = make_way;
  if (listens) error.remedy += std::string(exists ? "; " : "") + "stop the program that listens, or give --take-port";
  return error;
}

Result<Planned> plan_graph(const Kernels& kernels, const Graph& desired, const Graph* applied) {
  auto planned = look(kernels, desired, applied);
  if (!planned) return planned;
  auto hindrances = planned->kernel->find_hindrances(planned->settled ? *planned->settled : desired);
  if (!hindrances) return std::move(hindrances).error();
  static_cast<Hindrances&>(planned->observed) = std::move(*hindrances);
  return planned;
}

Result<Outcome> apply_graph(const Kernels& kernels, const Graph& desired, const ApplyOptions& options) {
  return Transaction(kernels, desired, options).run();
}

}  // namespace topo
