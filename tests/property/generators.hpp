// How rapidcheck makes, shrinks and prints what the properties are about.
#pragma once

#include <rapidcheck.h>

#include <algorithm>
#include <ostream>

#include "simulation/random_graph.hpp"
#include "simulation/simulated_kernel.hpp"

namespace topo {

inline void showValue(const Graph& graph, std::ostream& out) { out << "\n" << test::to_text(graph); }

}  // namespace topo

namespace topo::test {

inline std::uint64_t seed_of(const rc::Random& random) { return rc::Random(random).next(); }

/// Values made from a seed, which shrink by `smaller`: rapidcheck's own containers of numbers would take most of a run's time.
template <class T, class Make, class Smaller>
rc::Gen<T> generator(Make make, Smaller smaller) {
  return [=](const rc::Random& random, int) {
    Choices choices(seed_of(random));
    return rc::shrinkable::shrinkRecur(make(choices), [=](const T& value) { return rc::seq::fromContainer(smaller(value)); });
  };
}

/// What others have on the machine.
struct Strangers {
  std::vector<Resource> things;
};

inline void showValue(const Strangers& strangers, std::ostream& out) {
  for (const Resource& resource : strangers.things) out << "\n  " << id_of(resource);
}

/// Where something happens, in parts of a whole whose length is not known yet.
struct Moment {
  std::uint32_t part = 0;  ///< of 2^20
  [[nodiscard]] std::size_t of(std::size_t length) const { return static_cast<std::size_t>((static_cast<std::uint64_t>(part) * length) >> 20U); }
};

inline void showValue(const Moment& moment, std::ostream& out) { out << "after " << moment.part << "/" << (1U << 20U) << " of all operations"; }

/// A fault but for its place.
struct FaultKind {
  int error = 5;
  bool halfway = false, lasting = false;
};

inline void showValue(const FaultKind& kind, std::ostream& out) {
  out << "errno " << kind.error << (kind.halfway ? ", halfway" : "") << (kind.lasting ? ", and so all later ones" : "");
}

}  // namespace topo::test

namespace rc {

template <>
struct Arbitrary<topo::Graph> {
  static Gen<topo::Graph> arbitrary() {
    return topo::test::generator<topo::Graph>([](topo::test::Choices& choices) { return topo::test::random_graph(choices); },
                                              topo::test::smaller_graphs);
  }
};

template <>
struct Arbitrary<topo::test::Strangers> {
  static Gen<topo::test::Strangers> arbitrary() {
    using topo::test::Strangers;
    return topo::test::generator<Strangers>(
        [](topo::test::Choices& choices) { return Strangers{topo::test::random_strangers(choices)}; },
        [](const Strangers& strangers) { return strangers.things.empty() ? std::vector<Strangers>{} : std::vector<Strangers>{{}}; });
  }
};

template <>
struct Arbitrary<topo::test::Moment> {
  static Gen<topo::test::Moment> arbitrary() {
    return gen::map(gen::resize(100, gen::inRange<std::uint32_t>(0, 1U << 20U)), [](std::uint32_t part) { return topo::test::Moment{part}; });
  }
};

template <>
struct Arbitrary<topo::test::FaultKind> {
  static Gen<topo::test::FaultKind> arbitrary() {
    using topo::test::FaultKind;
    return topo::test::generator<FaultKind>(
        [](topo::test::Choices& choices) {
          return FaultKind{choices.one_of(std::vector<int>{5, 1, 12, 16, 17, 19, 105}), choices.chance(1, 2), choices.chance(1, 3)};
        },
        [](const FaultKind& kind) {
          std::vector<FaultKind> plainer;
          if (kind.halfway) plainer.push_back({kind.error, false, kind.lasting});
          if (kind.lasting) plainer.push_back({kind.error, kind.halfway, false});
          if (kind.error != 5) plainer.push_back({5, kind.halfway, kind.lasting});
          return plainer;
        });
  }
};

}  // namespace rc
