// Which APIs this broker answers, in which versions, and by what function: dispatch and the
// ApiVersions answer are made from this one list, so the answer cannot lie.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>

#include "base/metrics.h"
#include "broker/call.h"
#include "protocol/api.h"
#include "protocol/codec.h"

namespace adbrook::broker {

class Broker;

// Filled while it is built, immutable afterwards.
class ApiTable {
 public:
  struct Entry {
    protocol::Api api;  // with the versions that are offered here
    std::function<void(Broker&, RawCall)> run;
  };

  // `last` lowers the highest version that is offered, where the codec reads more.
  template <protocol::Message Request, protocol::Message Response>
  void add(void (*handler)(Broker&, Call<Request, Response>),
           std::int16_t last = Request::kApi.last) {
    protocol::Api api = Request::kApi;
    api.last = std::min(api.last, last);
    entries_.emplace(
        api.key,
        Entry{api, [handler](Broker& broker, RawCall raw) {
                auto request = protocol::decode<Request>(
                    raw.header().body, raw.header().api_version, protocol::BytesBehind::ignored);
                if (!request) return raw.hang_up(std::move(request.error().message));
                handler(broker, Call<Request, Response>(std::move(raw), std::move(*request)));
              }});
  }

  // Null when nobody handles this key.
  const Entry* find(std::int16_t key) const {
    const auto found = entries_.find(key);
    return found == entries_.end() ? nullptr : &found->second;
  }
  const std::map<std::int16_t, Entry>& entries() const { return entries_; }

 private:
  std::map<std::int16_t, Entry> entries_;  // by key
};

}  // namespace adbrook::broker
