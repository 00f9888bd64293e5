// OffsetDelete: forgets positions in topics that no member reads.
#include "protocol/k47_offset_delete.h"

#include "broker/api_list.h"
#include "broker/broker.h"

namespace adbrook::broker {
namespace {

using protocol::OffsetDeleteRequest;
using protocol::OffsetDeleteResponse;
using OffsetDeleteCall = Call<OffsetDeleteRequest, OffsetDeleteResponse>;

void send(OffsetDeleteCall& call, OffsetDeleteResponse response,
          const GroupCoordinator::OffsetsDeleted& deleted) {
  response.error_code = deleted.error;
  if (deleted.error != ErrorCode::none) response.topics.clear();
  std::size_t index = 0;
  for (auto& topic : response.topics)
    for (auto& partition : topic.partitions)
      if (partition.error_code == ErrorCode::none) partition.error_code = deleted.places[index++];
  call.answer(response);
}

void answer_offset_delete(Broker& broker, OffsetDeleteCall call) {
  OffsetDeleteResponse response;
  std::vector<GroupCoordinator::OffsetPlace> places;
  for (const auto& asked : call->topics) {
    auto& topic = response.topics.emplace_back();
    topic.name = asked.name;
    for (const auto& position : asked.partitions) {
      auto& shown = topic.partitions.emplace_back();
      shown.partition_index = position.partition_index;
      const auto partition = broker.log().partition(asked.name, position.partition_index);
      if (partition)
        places.push_back({std::string(asked.name), *partition});
      else
        shown.error_code = ErrorCode::unknown_topic_or_partition;
    }
  }
  const std::string group(call->group_id);
  broker.groups().delete_offsets(group, std::move(places),
                                 [call = std::move(call), response = std::move(response)](
                                     const GroupCoordinator::OffsetsDeleted& deleted) mutable {
                                   send(call, std::move(response), deleted);
                                 });
}

}  // namespace

void register_offset_delete(ApiTable& table) { table.add(&answer_offset_delete); }

}  // namespace adbrook::broker
