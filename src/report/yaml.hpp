// A small tree and how it is written as YAML, on one line where that is short.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace topo::report {

class Yaml {
 public:
  Yaml(std::string scalar) : kind_(Kind::scalar), scalar_(std::move(scalar)) {}  // NOLINT(google-explicit-constructor)
  Yaml(const char* scalar) : Yaml(std::string(scalar)) {}                        // NOLINT(google-explicit-constructor)
  [[nodiscard]] static Yaml map() { return Yaml(Kind::map); }
  [[nodiscard]] static Yaml list() { return Yaml(Kind::list); }

  /// Adds an entry to a map.
  Yaml& set(std::string key, Yaml value);
  /// Adds an item to a list.
  Yaml& add(Yaml value);
  [[nodiscard]] bool empty() const { return keys_.empty() && values_.empty() && kind_ != Kind::scalar; }
  [[nodiscard]] std::size_t size() const { return values_.size(); }
  [[nodiscard]] const Yaml& front() const { return values_.front(); }

  /// "{ a: b }", "[a, b]" or the scalar, quoted where it must be.
  [[nodiscard]] std::string flow() const;
  /// The lines of a map or list, each indented and ended; entries on one line each where they fit in 120 columns.
  [[nodiscard]] std::string block(std::size_t indent) const;

 private:
  enum class Kind { scalar, map, list };
  explicit Yaml(Kind kind) : kind_(kind) {}

  Kind kind_;
  std::string scalar_;
  std::vector<std::string> keys_;  ///< of a map, beside values_
  std::vector<Yaml> values_;
};

}  // namespace topo::report
