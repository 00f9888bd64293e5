#include "broker/state_record.h"

#include "protocol/codec.h"
#include "protocol/field.h"

namespace adbrook::broker {
namespace {

using protocol::field;

constexpr std::int16_t kVersion = 0;
constexpr protocol::Style kStyle{.version = kVersion, .flexible = true};

struct KeyRecord {
  std::int8_t kind = 0;
  std::string_view name;
  std::string_view member;
  static constexpr auto fields() {
    return std::array{field<&KeyRecord::kind>(), field<&KeyRecord::name>(),
                      field<&KeyRecord::member>({.tag = 0})};
  }
};

struct ProtocolRecord {
  std::string_view name;
  ByteView metadata;
  static constexpr auto fields() {
    return std::array{field<&ProtocolRecord::name>(), field<&ProtocolRecord::metadata>()};
  }
};

struct MemberRecord {
  std::string_view member_id;
  std::optional<std::string_view> instance_id;
  std::string_view client_id;
  std::string_view client_host;
  std::int64_t session_timeout_ms = 0;
  std::int64_t rebalance_timeout_ms = 0;
  std::vector<ProtocolRecord> protocols;
  ByteView assignment;
  static constexpr auto fields() {
    using M = MemberRecord;
    return std::array{field<&M::member_id>(),          field<&M::instance_id>(),
                      field<&M::client_id>(),          field<&M::client_host>(),
                      field<&M::session_timeout_ms>(), field<&M::rebalance_timeout_ms>(),
                      field<&M::protocols>(),          field<&M::assignment>()};
  }
};

struct GroupRecord {
  std::string_view protocol_type;
  std::string_view protocol_name;
  std::string_view leader;
  std::int32_t generation = 0;
  std::int64_t empty_since_ms = 0;
  std::vector<MemberRecord> members;
  static constexpr auto fields() {
    using M = GroupRecord;
    return std::array{field<&M::protocol_type>(),  field<&M::protocol_name>(),
                      field<&M::leader>(),         field<&M::generation>(),
                      field<&M::empty_since_ms>(), field<&M::members>()};
  }
};

struct ShapeRecord {
  std::string_view name;
  Uuid id;
  std::int32_t partition_count = 0;
  static constexpr auto fields() {
    using M = ShapeRecord;
    return std::array{field<&M::name>(), field<&M::id>(), field<&M::partition_count>()};
  }
};

struct ConsumerGroupRecord {
  std::int32_t epoch = 0;
  std::int32_t target_epoch = 0;
  std::string_view assignor;
  std::int64_t empty_since_ms = 0;
  std::vector<ShapeRecord> topics;
  static constexpr auto fields() {
    using M = ConsumerGroupRecord;
    return std::array{field<&M::epoch>(), field<&M::target_epoch>(), field<&M::assignor>(),
                      field<&M::empty_since_ms>(), field<&M::topics>()};
  }
};

struct PartitionSetRecord {
  Uuid topic_id;
  std::vector<std::int32_t> partitions;
  static constexpr auto fields() {
    return std::array{field<&PartitionSetRecord::topic_id>(),
                      field<&PartitionSetRecord::partitions>()};
  }
};

struct ConsumerMemberRecord {
  std::optional<std::string_view> instance_id;
  std::optional<std::string_view> rack_id;
  std::string_view client_id;
  std::string_view client_host;
  std::int64_t rebalance_timeout_ms = 0;
  std::vector<std::string_view> topics;
  std::string_view pattern;
  std::string_view assignor;
  std::int32_t epoch = 0;
  std::int32_t previous_epoch = 0;
  std::int8_t state = 0;
  std::vector<PartitionSetRecord> assigned;
  std::vector<PartitionSetRecord> revoking;
  std::vector<PartitionSetRecord> target;
  static constexpr auto fields() {
    using M = ConsumerMemberRecord;
    return std::array{field<&M::instance_id>(),
                      field<&M::rack_id>(),
                      field<&M::client_id>(),
                      field<&M::client_host>(),
                      field<&M::rebalance_timeout_ms>(),
                      field<&M::topics>(),
                      field<&M::pattern>(),
                      field<&M::assignor>(),
                      field<&M::epoch>(),
                      field<&M::previous_epoch>(),
                      field<&M::state>(),
                      field<&M::assigned>(),
                      field<&M::revoking>(),
                      field<&M::target>()};
  }
};

struct PartitionRecord {
  std::string_view topic;
  std::int32_t partition = 0;
  static constexpr auto fields() {
    return std::array{field<&PartitionRecord::topic>(), field<&PartitionRecord::partition>()};
  }
};

struct OffsetRecord {
  std::string_view topic;
  std::int32_t partition = 0;
  std::int64_t offset = -1;
  std::int32_t leader_epoch = -1;
  std::string_view metadata;
  static constexpr auto fields() {
    using M = OffsetRecord;
    return std::array{field<&M::topic>(), field<&M::partition>(), field<&M::offset>(),
                      field<&M::leader_epoch>(), field<&M::metadata>()};
  }
};

struct GroupOffsetsRecord {
  std::string_view group;
  std::vector<OffsetRecord> offsets;
  static constexpr auto fields() {
    return std::array{field<&GroupOffsetsRecord::group>(), field<&GroupOffsetsRecord::offsets>()};
  }
};

struct TransactionRecord {
  std::int64_t producer_id = -1;
  std::int16_t producer_epoch = -1;
  std::int64_t previous_id = -1;
  std::int16_t previous_epoch = -1;
  std::int64_t timeout_ms = 0;
  std::int8_t state = 0;
  std::int64_t started_ms = 0;
  std::int64_t last_used_ms = 0;
  std::vector<PartitionRecord> partitions;
  std::vector<GroupOffsetsRecord> offsets;
  static constexpr auto fields() {
    using M = TransactionRecord;
    return std::array{field<&M::producer_id>(), field<&M::producer_epoch>(),
                      field<&M::previous_id>(), field<&M::previous_epoch>(),
                      field<&M::timeout_ms>(),  field<&M::state>(),
                      field<&M::started_ms>(),  field<&M::last_used_ms>(),
                      field<&M::partitions>(),  field<&M::offsets>()};
  }
};

struct ProducerIdsRecord {
  std::int64_t next = 0;
  static constexpr auto fields() { return std::array{field<&ProducerIdsRecord::next>()}; }
};

template <class R>
Buffer encode_record(const R& record) {
  protocol::Frame frame;
  frame.own().resize(sizeof kVersion);
  store_be(frame.own().data(), kVersion);
  protocol::encode(frame, protocol::kShapeOf<R>, kStyle, &record);
  return frame.joined();
}

template <class R>
Result<R> decode_record(ByteView bytes) {
  if (bytes.size() < sizeof kVersion)
    return fail(ErrorKind::corrupt, "a record of the broker's state is too short");
  const auto version = load_be<std::int16_t>(bytes.data());
  if (version != kVersion)
    return fail(ErrorKind::unsupported, "a record of the broker's state has version " +
                                            std::to_string(version) +
                                            ", this program reads 0; use a newer one");
  R record;
  auto read =
      protocol::decode(protocol::kShapeOf<R>, kStyle, bytes.subspan(sizeof kVersion), &record);
  if (!read)
    return fail(ErrorKind::corrupt,
                "a record of the broker's state does not parse: " + read.error().message);
  return record;
}

Buffer owned(ByteView bytes) { return {bytes.begin(), bytes.end()}; }

std::vector<PartitionSetRecord> shown(const PartitionSet& set) {
  std::vector<PartitionSetRecord> records;
  for (const auto& [topic, partitions] : set)
    records.push_back({topic, {partitions.begin(), partitions.end()}});
  return records;
}

PartitionSet set_of(const std::vector<PartitionSetRecord>& records) {
  PartitionSet set;
  for (const PartitionSetRecord& record : records)
    if (!record.partitions.empty())
      set[record.topic_id].insert(record.partitions.begin(), record.partitions.end());
  return set;
}

}  // namespace

Buffer encode_key(StateKind kind, std::string_view name, std::string_view member) {
  return encode_record(KeyRecord{static_cast<std::int8_t>(kind), name, member});
}

Result<StateKey> decode_key(ByteView bytes) {
  const auto record = decode_record<KeyRecord>(bytes);
  if (!record) return pass(record.error());
  if (record->kind < 1 || record->kind > static_cast<int>(StateKind::consumer_member))
    return fail(ErrorKind::unsupported, "a record of the broker's state is of kind " +
                                            std::to_string(record->kind) +
                                            ", which this program does not know; use a newer one");
  return StateKey{static_cast<StateKind>(record->kind), std::string(record->name),
                  std::string(record->member)};
}

Buffer encode_group(const GroupSnapshot& group) {
  GroupRecord record{.protocol_type = group.protocol_type,
                     .protocol_name = group.protocol_name,
                     .leader = group.leader,
                     .generation = group.generation,
                     .empty_since_ms = group.empty_since.ms};
  for (const GroupSnapshot::Member& member : group.members) {
    MemberRecord& kept = record.members.emplace_back();
    kept.member_id = member.member_id;
    kept.instance_id = member.instance_id;
    kept.client_id = member.client_id;
    kept.client_host = member.client_host;
    kept.session_timeout_ms = member.session_timeout.count();
    kept.rebalance_timeout_ms = member.rebalance_timeout.count();
    for (const GroupProtocol& offered : member.protocols)
      kept.protocols.push_back({offered.name, offered.metadata});
    kept.assignment = member.assignment;
  }
  return encode_record(record);
}

Result<GroupSnapshot> decode_group(ByteView bytes) {
  const auto record = decode_record<GroupRecord>(bytes);
  if (!record) return pass(record.error());
  GroupSnapshot group{.protocol_type = std::string(record->protocol_type),
                      .protocol_name = std::string(record->protocol_name),
                      .leader = std::string(record->leader),
                      .generation = record->generation,
                      .empty_since = {record->empty_since_ms}};
  for (const MemberRecord& kept : record->members) {
    GroupSnapshot::Member& member = group.members.emplace_back();
    member.member_id = kept.member_id;
    if (kept.instance_id) member.instance_id = std::string(*kept.instance_id);
    member.client_id = kept.client_id;
    member.client_host = kept.client_host;
    member.session_timeout = Millis(kept.session_timeout_ms);
    member.rebalance_timeout = Millis(kept.rebalance_timeout_ms);
    for (const ProtocolRecord& offered : kept.protocols)
      member.protocols.push_back({std::string(offered.name), owned(offered.metadata)});
    member.assignment = owned(kept.assignment);
  }
  return group;
}

Buffer encode_consumer_group(const ConsumerGroupSnapshot& group) {
  ConsumerGroupRecord record{.epoch = group.epoch,
                             .target_epoch = group.target_epoch,
                             .assignor = group.assignor,
                             .empty_since_ms = group.empty_since.ms};
  for (const auto& [name, shape] : group.topics)
    record.topics.push_back({name, shape.id, shape.partition_count});
  return encode_record(record);
}

Result<ConsumerGroupSnapshot> decode_consumer_group(ByteView bytes) {
  const auto record = decode_record<ConsumerGroupRecord>(bytes);
  if (!record) return pass(record.error());
  ConsumerGroupSnapshot group{.epoch = record->epoch,
                              .target_epoch = record->target_epoch,
                              .assignor = std::string(record->assignor),
                              .empty_since = {record->empty_since_ms}};
  for (const ShapeRecord& kept : record->topics)
    group.topics[std::string(kept.name)] = {kept.id, kept.partition_count};
  return group;
}

Buffer encode_consumer_member(const ConsumerMember& member) {
  ConsumerMemberRecord record{.client_id = member.client_id,
                              .client_host = member.client_host,
                              .rebalance_timeout_ms = member.rebalance_timeout.count(),
                              .topics = {member.topics.begin(), member.topics.end()},
                              .pattern = member.pattern,
                              .assignor = member.assignor,
                              .epoch = member.epoch,
                              .previous_epoch = member.previous_epoch,
                              .state = static_cast<std::int8_t>(member.state),
                              .assigned = shown(member.assigned),
                              .revoking = shown(member.revoking),
                              .target = shown(member.target)};
  if (member.instance_id) record.instance_id = *member.instance_id;
  if (member.rack_id) record.rack_id = *member.rack_id;
  return encode_record(record);
}

Result<ConsumerMember> decode_consumer_member(ByteView bytes) {
  const auto record = decode_record<ConsumerMemberRecord>(bytes);
  if (!record) return pass(record.error());
  if (record->state < 0 || record->state > static_cast<int>(ConsumerState::unreleased))
    return fail(ErrorKind::corrupt, "a member of a consumer group has the unknown state " +
                                        std::to_string(record->state));
  ConsumerMember member{.client_id = std::string(record->client_id),
                        .client_host = std::string(record->client_host),
                        .rebalance_timeout = Millis(record->rebalance_timeout_ms),
                        .topics = {record->topics.begin(), record->topics.end()},
                        .pattern = std::string(record->pattern),
                        .assignor = std::string(record->assignor),
                        .epoch = record->epoch,
                        .previous_epoch = record->previous_epoch,
                        .state = static_cast<ConsumerState>(record->state),
                        .assigned = set_of(record->assigned),
                        .revoking = set_of(record->revoking),
                        .target = set_of(record->target)};
  if (record->instance_id) member.instance_id = std::string(*record->instance_id);
  if (record->rack_id) member.rack_id = std::string(*record->rack_id);
  return member;
}

Buffer encode_transaction(const TransactionSnapshot& transaction) {
  TransactionRecord record{.producer_id = transaction.producer.id,
                           .producer_epoch = transaction.producer.epoch,
                           .previous_id = transaction.previous.id,
                           .previous_epoch = transaction.previous.epoch,
                           .timeout_ms = transaction.timeout.count(),
                           .state = static_cast<std::int8_t>(transaction.state),
                           .started_ms = transaction.started.ms,
                           .last_used_ms = transaction.last_used.ms};
  for (const TopicPartition& partition : transaction.partitions)
    record.partitions.push_back({partition.topic, partition.partition});
  for (const auto& [group, offsets] : transaction.offsets) {
    GroupOffsetsRecord& kept = record.offsets.emplace_back();
    kept.group = group;
    for (const auto& [partition, pending] : offsets)
      kept.offsets.push_back({partition.topic, partition.partition, pending.offset,
                              pending.leader_epoch, pending.metadata});
  }
  return encode_record(record);
}

Result<TransactionSnapshot> decode_transaction(ByteView bytes) {
  const auto record = decode_record<TransactionRecord>(bytes);
  if (!record) return pass(record.error());
  if (record->state < 0 || record->state > static_cast<int>(TransactionState::complete_abort))
    return fail(ErrorKind::corrupt,
                "a transaction has the unknown state " + std::to_string(record->state));
  TransactionSnapshot transaction{
      .producer = {record->producer_id, record->producer_epoch},
      .previous = {record->previous_id, record->previous_epoch},
      .timeout = Millis(record->timeout_ms),
      .state = static_cast<TransactionState>(record->state),
      .started = {record->started_ms},
      .last_used = {record->last_used_ms},
  };
  for (const PartitionRecord& kept : record->partitions)
    transaction.partitions.insert({std::string(kept.topic), kept.partition});
  for (const GroupOffsetsRecord& group : record->offsets) {
    auto& offsets = transaction.offsets[std::string(group.group)];
    for (const OffsetRecord& kept : group.offsets)
      offsets[{std::string(kept.topic), kept.partition}] = {kept.offset, kept.leader_epoch,
                                                            std::string(kept.metadata)};
  }
  return transaction;
}

Buffer encode_producer_ids(std::int64_t next) { return encode_record(ProducerIdsRecord{next}); }

Result<std::int64_t> decode_producer_ids(ByteView bytes) {
  const auto record = decode_record<ProducerIdsRecord>(bytes);
  if (!record) return pass(record.error());
  return record->next;
}

}  // namespace adbrook::broker
