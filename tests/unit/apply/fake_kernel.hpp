// A kernel in memory, that refuses and lies on request.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "apply/transaction.hpp"

namespace topo::test {

/// A folder for state and locks that goes with the test.
class Folder {
 public:
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "topo-test-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path_); }
  [[nodiscard]] std::string path() const { return path_ + "/topo"; }

 private:
  std::string path_;
};

inline bool equal(const Graph& a, const Graph& b) {
  return std::equal(a.nodes().begin(), a.nodes().end(), b.nodes().begin(), b.nodes().end(),
                    [](const auto& x, const auto& y) { return x.first == y.first && x.second.resource == y.second.resource; });
}

/// What outlives each Kernel object: the state, and what shall go wrong.
struct World {
  Graph state{"lab"};
  std::vector<Obstacle> obstacles;
  int kernels = 0;         ///< made
  int steps = 0;           ///< performed or refused, over all performs
  int refused_first = -1;  ///< the first step that is refused
  int refused_count = 1;   ///< and how many from there on
  int blind_after = -1;    ///< after so many steps observe fails
  std::function<void()> on_step;
  std::function<void(Graph&)> after_perform;  ///< what somebody else does meanwhile

  [[nodiscard]] Kernels kernels_of() {
    return [this]() -> Result<std::unique_ptr<Kernel>> {
      ++kernels;
      return std::unique_ptr<Kernel>(new InMemory(*this));
    };
  }

 private:
  class InMemory : public Kernel {
   public:
    explicit InMemory(World& world) : world_(world) {}

    Result<Graph> observe(const Graph&) override {
      if (world_.blind_after >= 0 && world_.steps >= world_.blind_after)
        return Error{Exit::rolled_back, "cannot list links", {}, "No buffer space", {}, {}};
      return world_.state;
    }

    Result<Hindrances> find_hindrances(const Graph&) override { return Hindrances{world_.obstacles, {}, {}}; }

    Result<void> perform(const Plan& plan, const std::function<bool()>& stop) override {
      for (const auto& change : plan.changes) {
        if (stop && stop()) return Error{Exit::interrupted, "interrupted", {}, {}, {}, {}};
        const int step = world_.steps++;
        if (world_.refused_first >= 0 && step >= world_.refused_first && step - world_.refused_first < world_.refused_count) {
          leave_half(change);
          return Error{
              Exit::rolled_back, "cannot change " + title_of(change.after ? *change.after : *change.before), {}, "Operation not permitted", {}, {}};
        }
        if (change.before) world_.state.erase(id_of(*change.before));
        if (change.after) world_.state.put(*change.after);
        if (world_.on_step) world_.on_step();
      }
      if (world_.after_perform) world_.after_perform(world_.state);
      return {};
    }

   private:
    /// As the kernel does: a failed change in place is partly made, a failed creation leaves nothing.
    void leave_half(const Change& change) {
      if (!change.before || !change.after) return;
      const auto* before = std::get_if<Bridge>(&*change.before);
      if (before == nullptr) return;
      Bridge half = *before;
      half.mtu = std::get<Bridge>(*change.after).mtu;
      world_.state.put(half);
    }
    World& world_;
  };
};

}  // namespace topo::test
