// One netlink request, built attribute by attribute (netlink(7), libnl's nlmsg_* and nla_*).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "topo/ip.hpp"
#include "topo/mac.hpp"

struct nl_msg;
struct nlmsghdr;

namespace topo::kernel {

/// A request. Attributes that do not fit make it unusable, which whoever sends it reports.
class Message {
 public:
  /// `flags` beside NLM_F_REQUEST; `header` is the family's own fixed part; `capacity` bounds the whole message.
  template <class Header>
  Message(int type, int flags, const Header& header, std::size_t capacity = 1024) : Message(type, flags, &header, sizeof header, capacity) {}

  Message& put(int attribute, const void* bytes, std::size_t size);
  Message& put_u8(int attribute, std::uint8_t value) { return put(attribute, &value, sizeof value); }
  Message& put_u32(int attribute, std::uint32_t value) { return put(attribute, &value, sizeof value); }
  /// With its terminating NUL.
  Message& put_text(int attribute, std::string_view text);
  Message& put_address(int attribute, const IpAddress& address) { return put(attribute, address.bytes().data(), address.bits() / 8U); }
  Message& put_mac(int attribute, const Mac& mac) { return put(attribute, mac.bytes().data(), mac.bytes().size()); }

  /// A nested attribute that holds what `body` puts.
  template <class Body>
  Message& nest(int attribute, Body&& body) {
    void* const start = open(attribute);
    body();
    close(start);
    return *this;
  }
  /// The same, beginning with a fixed part of its own.
  template <class Header, class Body>
  Message& nest_with(int attribute, const Header& header, Body&& body) {
    void* const start = open(attribute);
    append(&header, sizeof header);
    body();
    close(start);
    return *this;
  }

  /// One of several records that an attribute holds, each a fixed part with attributes behind it; the record's length, as 16 bits, is
  /// written at `length_offset` of the fixed part.
  template <class Header, class Body>
  Message& record(const Header& header, std::size_t length_offset, Body&& body) {
    const std::size_t start = end();
    append(&header, sizeof header);
    body();
    if (fits_) set_length(start, length_offset);
    return *this;
  }

  [[nodiscard]] nlmsghdr* header() const;
  [[nodiscard]] bool fits() const { return fits_; }

 private:
  struct Free {
    void operator()(nl_msg* message) const;
  };
  Message(int type, int flags, const void* header, std::size_t size, std::size_t capacity);
  void* open(int attribute);
  void close(void* start);
  void append(const void* bytes, std::size_t size);
  [[nodiscard]] std::size_t end() const;
  void set_length(std::size_t start, std::size_t length_offset);

  std::unique_ptr<nl_msg, Free> message_;
  bool fits_ = true;
};

}  // namespace topo::kernel
