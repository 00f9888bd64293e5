// The records in which groups, transactions and producer ids are kept over a restart.
// Formats: docs/formats/consumer-offsets.md, docs/formats/transaction-state.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "broker/consumer_group.h"
#include "broker/group.h"
#include "broker/transaction.h"

namespace adbrook::broker {

enum class StateKind : std::int8_t {
  group = 1,  // of the classic protocol
  transaction = 2,
  producer_ids = 3,
  consumer_group = 4,  // of the newer protocol, without its members
  consumer_member = 5,
};

struct StateKey {
  StateKind kind = StateKind::group;
  std::string name;    // group id or transactional id; empty for the producer ids
  std::string member;  // of a consumer_member
};

// Reading gives `unsupported` for a version that is newer than this program, `corrupt` for bytes
// that do not parse.
Buffer encode_key(StateKind kind, std::string_view name, std::string_view member = {});
Result<StateKey> decode_key(ByteView bytes);

Buffer encode_group(const GroupSnapshot& group);
Result<GroupSnapshot> decode_group(ByteView bytes);

// The members of `group` are left out: each has its own record.
Buffer encode_consumer_group(const ConsumerGroupSnapshot& group);
Result<ConsumerGroupSnapshot> decode_consumer_group(ByteView bytes);
// The member id is in the key alone.
Buffer encode_consumer_member(const ConsumerMember& member);
Result<ConsumerMember> decode_consumer_member(ByteView bytes);

Buffer encode_transaction(const TransactionSnapshot& transaction);
Result<TransactionSnapshot> decode_transaction(ByteView bytes);

// The first producer id that was never handed out.
Buffer encode_producer_ids(std::int64_t next);
Result<std::int64_t> decode_producer_ids(ByteView bytes);

}  // namespace adbrook::broker
