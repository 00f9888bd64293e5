// AddOffsetsToTxn: a transaction is about to commit offsets of this group.
#include "protocol/k25_add_offsets_to_txn.h"

#include "broker/api_list.h"
#include "broker/broker.h"

namespace adbrook::broker {
namespace {

using protocol::AddOffsetsToTxnRequest;
using protocol::AddOffsetsToTxnResponse;
using AddOffsetsToTxnCall = Call<AddOffsetsToTxnRequest, AddOffsetsToTxnResponse>;

constexpr std::int16_t kAddOffsetsToTxnFencedSince = 2;

void answer_add_offsets(Broker& broker, AddOffsetsToTxnCall call) {
  const std::string id(call->transactional_id);
  const std::string group(call->group_id);
  const ProducerIdentity who{call->producer_id, call->producer_epoch};
  broker.transactions().add_group(
      id, who, group, [call = std::move(call)](ErrorCode error) mutable {
        if (error == ErrorCode::producer_fenced && call.version() < kAddOffsetsToTxnFencedSince)
          error = ErrorCode::invalid_producer_epoch;
        call.answer({.error_code = error});
      });
}

}  // namespace

void register_add_offsets_to_txn(ApiTable& table) { table.add(&answer_add_offsets); }

}  // namespace adbrook::broker
