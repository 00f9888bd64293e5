// What can be set about consumer groups, under Kafka's names.
#pragma once

#include <tuple>

#include "base/settings.h"

namespace adbrook::broker {

struct GroupOptions {
  Millis session_timeout_min{6'000};
  Millis session_timeout_max{1'800'000};
  Millis initial_rebalance_delay{3'000};
  Millis consumer_session_timeout{45'000};
  Millis consumer_heartbeat_interval{5'000};
  std::int64_t size_max = 2'000;
  std::int64_t count_max = 20'000;
  Bytes offset_metadata_max{4096};
  Millis offsets_retention{std::int64_t{10'080} * 60'000};

  template <class O = GroupOptions>
  static constexpr auto settings() {
    return std::tuple{
        Setting<O, Millis>{"group.min.session.timeout.ms", &O::session_timeout_min, Millis(1),
                           std::nullopt,
                           "Shortest session a member may ask for; shorter ones cost heartbeats."},
        Setting<O, Millis>{"group.max.session.timeout.ms", &O::session_timeout_max, Millis(1),
                           std::nullopt,
                           "Longest session; a crashed member blocks its partitions that long."},
        Setting<O, Millis>{"group.initial.rebalance.delay.ms", &O::initial_rebalance_delay,
                           Millis(0), Millis(600'000),
                           "How long the first member of a group waits for others; longer saves "
                           "rebalances and starts later."},
        Setting<O, Millis>{"group.consumer.session.timeout.ms", &O::consumer_session_timeout,
                           Millis(1), Millis(1'800'000),
                           "Session of members of the newer group protocol (KIP-848); a crashed "
                           "member blocks its partitions that long."},
        Setting<O, Millis>{"group.consumer.heartbeat.interval.ms", &O::consumer_heartbeat_interval,
                           Millis(1), Millis(600'000),
                           "How often such members are told to be heard of; shorter ones rebalance "
                           "faster and cost requests."},
        Setting<O, std::int64_t>{"group.max.size", &O::size_max, 1, 100'000,
                                 "Members of one group; each costs its subscription in memory."},
        Setting<O, std::int64_t>{"group.max.count", &O::count_max, 1, 1'000'000,
                                 "Groups that are kept; each costs memory and a record."},
        Setting<O, Bytes>{"offset.metadata.max.bytes", &O::offset_metadata_max, Bytes{0}, 64_KiB,
                          "Longest text kept with a committed offset; each partition costs it."},
        Setting<O, Millis>{"offsets.retention.ms", &O::offsets_retention, Millis(1), std::nullopt,
                           "How long offsets of a group without members are kept."},
    };
  }
};

}  // namespace adbrook::broker
