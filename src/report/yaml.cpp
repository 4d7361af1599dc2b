#include "report/yaml.hpp"

#include <algorithm>

namespace topo::report {
namespace {

constexpr std::size_t widest = 120;

/// A scalar that is the same text in any place of a file, plain or in double quotes.
std::string quoted(const std::string& text) {
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-' || c == '/' || c == ' ' ||
           c == '>' || c == '<' || c == ':';
  };
  const auto is_first = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); };
  const bool plain = !text.empty() && is_first(text.front()) && text.back() != ' ' && text.back() != ':' &&
                     std::all_of(text.begin(), text.end(), is_plain) && text.find(": ") == std::string::npos && text.find("::") == std::string::npos;
  if (plain) return text;
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    const auto code = static_cast<unsigned char>(c);
    if (code >= 0x20 && code != 0x7f) {
      out += c;
    } else {
      constexpr const char* digits = "0123456789abcdef";
      out += {'\\', 'x', digits[code >> 4U], digits[code & 0xfU]};
    }
  }
  return out + "\"";
}

}  // namespace

Yaml& Yaml::set(std::string key, Yaml value) {
  keys_.push_back(std::move(key));
  values_.push_back(std::move(value));
  return *this;
}

Yaml& Yaml::add(Yaml value) {
  values_.push_back(std::move(value));
  return *this;
}

std::string Yaml::flow() const {
  if (kind_ == Kind::scalar) return quoted(scalar_);
  std::string inner;
  for (std::size_t i = 0; i < values_.size(); ++i) {
    if (i > 0) inner += ", ";
    if (kind_ == Kind::map) inner += quoted(keys_[i]) + ": ";
    inner += values_[i].flow();
  }
  if (kind_ == Kind::list) return "[" + inner + "]";
  return inner.empty() ? "{}" : "{ " + inner + " }";
}

std::string Yaml::block(std::size_t indent) const {
  const std::string margin(indent, ' ');
  std::string text;
  for (std::size_t i = 0; i < values_.size(); ++i) {
    const Yaml& value = values_[i];
    const std::string head = margin + (kind_ == Kind::map ? quoted(keys_[i]) + ":" : "-");
    const std::string line = value.flow();
    if (value.kind_ == Kind::scalar || value.empty() || head.size() + 1 + line.size() <= widest) {
      text += head + " " + line + "\n";
    } else if (kind_ == Kind::map) {
      text += head + "\n" + value.block(indent + 2);
    } else {
      std::string body = value.block(indent + 2);
      body[indent] = '-';
      text += body;
    }
  }
  return text;
}

}  // namespace topo::report
