// Consumer groups with how far behind they are, in records and in time.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "broker/group_coordinator.h"
#include "bus/bus.h"
#include "log/log.h"

namespace adbrook::app {

struct ListedGroup {
  struct Place {
    std::string topic;
    std::int32_t partition = 0;
    Offset committed;
    Offset end;
    // When the log took the first record that is not processed; nothing when all are.
    std::optional<Timestamp> waiting_since;
  };
  struct Member {
    std::string id, client, host;
    std::vector<bus::Partition> assigned;
  };
  std::string id;
  std::string state;  // as the coordinator says
  std::string protocol;
  std::int32_t generation = -1;  // grows with each rebalance; -1 when there is none
  std::vector<Member> members;
  std::vector<Place> places;
};

// Groups beyond this are left out, and partitions beyond the next of each.
inline constexpr std::size_t kListedGroupsMax = 200;
inline constexpr std::size_t kListedPlacesMax = 200;

std::vector<ListedGroup> list_groups(const log::Log& log, bus::Bus& bus,
                                     const broker::GroupCoordinator& coordinator);
std::string to_json(const std::vector<ListedGroup>& groups, Timestamp now);

// What a member was given, in the form of Kafka's consumer protocol; nothing when it is not that.
std::optional<std::vector<bus::Partition>> read_assignment(ByteView bytes);

}  // namespace adbrook::app
