#include "protocol/messages.h"

#include <algorithm>

#include "protocol/k00_produce.h"
#include "protocol/k01_fetch.h"
#include "protocol/k02_list_offsets.h"
#include "protocol/k03_metadata.h"
#include "protocol/k08_offset_commit.h"
#include "protocol/k09_offset_fetch.h"
#include "protocol/k10_find_coordinator.h"
#include "protocol/k11_join_group.h"
#include "protocol/k12_heartbeat.h"
#include "protocol/k13_leave_group.h"
#include "protocol/k14_sync_group.h"
#include "protocol/k15_describe_groups.h"
#include "protocol/k16_list_groups.h"
#include "protocol/k17_sasl_handshake.h"
#include "protocol/k18_api_versions.h"
#include "protocol/k19_create_topics.h"
#include "protocol/k20_delete_topics.h"
#include "protocol/k21_delete_records.h"
#include "protocol/k22_init_producer_id.h"
#include "protocol/k23_offset_for_leader_epoch.h"
#include "protocol/k24_add_partitions_to_txn.h"
#include "protocol/k25_add_offsets_to_txn.h"
#include "protocol/k26_end_txn.h"
#include "protocol/k28_txn_offset_commit.h"
#include "protocol/k29_describe_acls.h"
#include "protocol/k30_create_acls.h"
#include "protocol/k31_delete_acls.h"
#include "protocol/k32_describe_configs.h"
#include "protocol/k33_alter_configs.h"
#include "protocol/k35_describe_log_dirs.h"
#include "protocol/k36_sasl_authenticate.h"
#include "protocol/k37_create_partitions.h"
#include "protocol/k42_delete_groups.h"
#include "protocol/k44_incremental_alter_configs.h"
#include "protocol/k47_offset_delete.h"
#include "protocol/k60_describe_cluster.h"
#include "protocol/k61_describe_producers.h"
#include "protocol/k65_describe_transactions.h"
#include "protocol/k66_list_transactions.h"
#include "protocol/k68_consumer_group_heartbeat.h"
#include "protocol/k69_consumer_group_describe.h"

namespace adbrook::protocol {
namespace {

template <class M>
constexpr MessageType type_of_message() {
  return {&kShapeOf<M>, []() -> ErasedMessage {
            return {new M, [](void* message) { delete static_cast<M*>(message); }};
          }};
}

template <class Request, class Response>
constexpr ApiEntry entry() {
  static_assert(&Request::kApi == &Response::kApi);
  return {&Request::kApi, type_of_message<Request>(), type_of_message<Response>()};
}

constexpr std::array kEntries{
    entry<ProduceRequest, ProduceResponse>(),
    entry<FetchRequest, FetchResponse>(),
    entry<ListOffsetsRequest, ListOffsetsResponse>(),
    entry<MetadataRequest, MetadataResponse>(),
    entry<OffsetCommitRequest, OffsetCommitResponse>(),
    entry<OffsetFetchRequest, OffsetFetchResponse>(),
    entry<FindCoordinatorRequest, FindCoordinatorResponse>(),
    entry<JoinGroupRequest, JoinGroupResponse>(),
    entry<HeartbeatRequest, HeartbeatResponse>(),
    entry<LeaveGroupRequest, LeaveGroupResponse>(),
    entry<SyncGroupRequest, SyncGroupResponse>(),
    entry<DescribeGroupsRequest, DescribeGroupsResponse>(),
    entry<ListGroupsRequest, ListGroupsResponse>(),
    entry<SaslHandshakeRequest, SaslHandshakeResponse>(),
    entry<ApiVersionsRequest, ApiVersionsResponse>(),
    entry<CreateTopicsRequest, CreateTopicsResponse>(),
    entry<DeleteTopicsRequest, DeleteTopicsResponse>(),
    entry<DeleteRecordsRequest, DeleteRecordsResponse>(),
    entry<InitProducerIdRequest, InitProducerIdResponse>(),
    entry<OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse>(),
    entry<AddPartitionsToTxnRequest, AddPartitionsToTxnResponse>(),
    entry<AddOffsetsToTxnRequest, AddOffsetsToTxnResponse>(),
    entry<EndTxnRequest, EndTxnResponse>(),
    entry<TxnOffsetCommitRequest, TxnOffsetCommitResponse>(),
    entry<DescribeAclsRequest, DescribeAclsResponse>(),
    entry<CreateAclsRequest, CreateAclsResponse>(),
    entry<DeleteAclsRequest, DeleteAclsResponse>(),
    entry<DescribeConfigsRequest, DescribeConfigsResponse>(),
    entry<AlterConfigsRequest, AlterConfigsResponse>(),
    entry<DescribeLogDirsRequest, DescribeLogDirsResponse>(),
    entry<SaslAuthenticateRequest, SaslAuthenticateResponse>(),
    entry<CreatePartitionsRequest, CreatePartitionsResponse>(),
    entry<DeleteGroupsRequest, DeleteGroupsResponse>(),
    entry<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>(),
    entry<OffsetDeleteRequest, OffsetDeleteResponse>(),
    entry<DescribeClusterRequest, DescribeClusterResponse>(),
    entry<DescribeProducersRequest, DescribeProducersResponse>(),
    entry<DescribeTransactionsRequest, DescribeTransactionsResponse>(),
    entry<ListTransactionsRequest, ListTransactionsResponse>(),
    entry<ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse>(),
    entry<ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse>(),
};
static_assert(std::ranges::is_sorted(kEntries, {}, [](const ApiEntry& e) { return e.api->key; }));

}  // namespace

std::span<const ApiEntry> all_apis() { return kEntries; }

const Api* find_api(std::int16_t key) {
  const auto found =
      std::ranges::lower_bound(kEntries, key, {}, [](const ApiEntry& e) { return e.api->key; });
  return found != kEntries.end() && found->api->key == key ? found->api : nullptr;
}

}  // namespace adbrook::protocol
