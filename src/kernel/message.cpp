#include "kernel/message.hpp"

#include <netlink/attr.h>
#include <netlink/msg.h>

#include <cstring>
#include <new>
#include <string>

namespace topo::kernel {

void Message::Free::operator()(nl_msg* message) const { nlmsg_free(message); }

Message::Message(int type, int flags, const void* header, std::size_t size, std::size_t capacity) : message_(nlmsg_alloc_size(capacity)) {
  if (!message_) throw std::bad_alloc();
  fits_ = nlmsg_put(message_.get(), 0, 0, type, static_cast<int>(size), NLM_F_REQUEST | flags) != nullptr;
  if (fits_) std::memcpy(nlmsg_data(nlmsg_hdr(message_.get())), header, size);
}

nlmsghdr* Message::header() const { return nlmsg_hdr(message_.get()); }

Message& Message::put(int attribute, const void* bytes, std::size_t size) {
  fits_ = fits_ && nla_put(message_.get(), attribute, static_cast<int>(size), bytes) == 0;
  return *this;
}

Message& Message::put_text(int attribute, std::string_view text) {
  const std::string terminated(text);
  return put(attribute, terminated.c_str(), terminated.size() + 1);
}

void* Message::open(int attribute) {
  void* const start = fits_ ? nla_nest_start(message_.get(), attribute | NLA_F_NESTED) : nullptr;
  fits_ = start != nullptr;
  return start;
}

void Message::close(void* start) {
  // nla_nest_end_keep_empty: an empty nest is a value of its own.
  if (fits_) nla_nest_end_keep_empty(message_.get(), static_cast<nlattr*>(start));
}

void Message::append(const void* bytes, std::size_t size) {
  fits_ = fits_ && nlmsg_append(message_.get(), const_cast<void*>(bytes), size, NLMSG_ALIGNTO) == 0;
}

std::size_t Message::end() const { return NLMSG_ALIGN(header()->nlmsg_len); }

void Message::set_length(std::size_t start, std::size_t length_offset) {
  const auto length = static_cast<std::uint16_t>(header()->nlmsg_len - start);
  std::memcpy(reinterpret_cast<char*>(header()) + start + length_offset, &length, sizeof length);
}

}  // namespace topo::kernel
