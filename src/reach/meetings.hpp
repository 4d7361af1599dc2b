// Whom a flow between two names is about, by classes of equals.
#pragma once

#include <vector>

#include "reach/names.hpp"
#include "reach/services.hpp"

namespace topo::reach {

/// A class of senders and a class of those they may reach, with a station of each to stand for it.
struct Meeting {
  std::size_t sender = none;                    ///< index into Model::senders
  std::size_t from = gateway, to = gateway;     ///< stations; the gateway also for the outside
  std::vector<std::size_t> targets;             ///< indices into Model::targets; for what comes from outside the port maps that lead there as well
  std::vector<std::size_t> senders, receivers;  ///< the stations of both classes that are meant; empty: the outside
};

/// Everybody that `from` means with everybody else that `to` means.
[[nodiscard]] std::vector<Meeting> meetings_of(const Names& names, const NamedSet& from, const NamedSet& to);

/// What may be opened over one family: by any of the addresses there.
[[nodiscard]] Services allowed_in(const Model& model, const Meeting& meeting, Family family);
/// Whether anything at all can be sent over that family.
[[nodiscard]] bool meets_in(const Model& model, const Meeting& meeting, Family family);

/// What decides over the first of `services`, of those with or without the verdict `allowed`.
struct Decided {
  std::size_t target = none;
  Span span;
};
[[nodiscard]] std::optional<Decided> deciding(const Model& model, const Meeting& meeting, Family family, const Services& services, bool allowed);

/// "web", "host"; of the outside the zone's name, or "internet".
[[nodiscard]] std::string name_of_sender(const Names& names, const Meeting& meeting);
[[nodiscard]] std::string name_of_receiver(const Names& names, const Meeting& meeting);

}  // namespace topo::reach
