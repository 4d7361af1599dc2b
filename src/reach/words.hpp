// What decides over a flow, in words for people, and where the file says it.
#pragma once

#include <string>
#include <vector>

#include "reach/model.hpp"

namespace topo::reach {

/// "allow web -> db:5432", "bridge frontend is isolated": without a full stop, as the end of "denied: ...". `loss` is what lost it.
[[nodiscard]] std::string text_of(const Model& model, const Ruled& ruled, const std::optional<Loss>& loss);
/// The same for a sender and a target (Model::outcome), with the loss as two of their stations have it.
[[nodiscard]] std::string text_of(const Model& model, std::size_t sender, std::size_t target, const Ruled& ruled);
/// Where the file says so; nowhere where it says nothing about it, as of what holds by default.
[[nodiscard]] Position position_of(const Model& model, const Reason& reason);
/// "db has no route to 10.1.0.10", with "the answer is lost: " in front where it is one.
[[nodiscard]] std::string text_of(const Model& model, const Loss& loss);

[[nodiscard]] const char* to_text(Verdict verdict);  ///< "allowed"
/// "80/tcp", "8000-8010/udp", "icmp"; "other" for what has no name of its own.
[[nodiscard]] std::string to_text(const PortRange& service);
/// "web", "host", "outside".
[[nodiscard]] std::string name_of(const Model& model, std::size_t station);

}  // namespace topo::reach
