// What can go wrong, and how it is said.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace topo {

/// The exit codes of the command line; the only classification of failures that callers need.
enum class Exit : int {
  ok = 0,
  difference = 1,   ///< the answer is no: diff found differences
  invalid = 2,      ///< usage, or an invalid topology; nothing was touched
  rolled_back = 3,  ///< failed; the state is what it was
  left_over = 4,    ///< failed, and not wholly rolled back
  unsupported = 5,  ///< a privilege or a kernel feature is missing
  conflict = 6,     ///< something that is not ours stands in the way
  locked = 7,       ///< another topo, or a program with the lock of iptables, is at work
  interrupted = 130,
};

/// One failure in the user's words. Every field but `what` may be empty.
struct Error {
  Exit exit = Exit::rolled_back;
  std::string what;                  ///< what failed: "cannot create bridge frontend"
  std::string where;                 ///< the object or the file position
  std::string kernel;                ///< the kernel's own words: errno text, extended ACK
  std::string remedy;                ///< what to do about it
  std::vector<std::string> details;  ///< more lines: every object that is left, every conflict

  /// One line "what: kernel", then where, details and remedy, each on a line of its own where there is one.
  [[nodiscard]] std::string to_string() const;
};

/// Something that will not work as the file means it, although all of it can be applied.
struct Warning {
  std::string what;
  std::string aim;           ///< what the remedy is for: "to let it pass"
  std::string remedy;        ///< commands, with ";" between them; may be empty, as `aim` then
  bool may_go_well = false;  ///< it is not certain
  bool operator==(const Warning&) const = default;

  /// "WHAT; AIM: REMEDY"
  [[nodiscard]] std::string to_string() const;
};
[[nodiscard]] std::vector<std::string> to_strings(const std::vector<Warning>& warnings);

/// Either a value or an Error; must be looked at.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] explicit operator bool() const { return state_.index() == 0; }
  [[nodiscard]] T& value() & { return std::get<0>(state_); }
  [[nodiscard]] const T& value() const& { return std::get<0>(state_); }
  [[nodiscard]] T&& value() && { return std::get<0>(std::move(state_)); }
  [[nodiscard]] T& operator*() & { return value(); }
  [[nodiscard]] const T& operator*() const& { return value(); }
  [[nodiscard]] T&& operator*() && { return std::move(*this).value(); }
  [[nodiscard]] T* operator->() { return &value(); }
  [[nodiscard]] const T* operator->() const { return &value(); }
  [[nodiscard]] Error& error() & { return std::get<1>(state_); }
  [[nodiscard]] const Error& error() const& { return std::get<1>(state_); }
  [[nodiscard]] Error&& error() && { return std::get<1>(std::move(state_)); }

 private:
  std::variant<T, Error> state_;
};

/// Success without a value, or an Error.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] explicit operator bool() const { return error_.index() == 0; }
  [[nodiscard]] Error& error() & { return std::get<1>(error_); }
  [[nodiscard]] const Error& error() const& { return std::get<1>(error_); }
  [[nodiscard]] Error&& error() && { return std::get<1>(std::move(error_)); }

 private:
  std::variant<std::monostate, Error> error_;
};

}  // namespace topo
