// EndTxn: answered when markers, offsets and the new state are durable. Version 5 belongs to
// transaction version 2 and is not offered.
#include "protocol/k26_end_txn.h"

#include "broker/api_list.h"
#include "broker/broker.h"

namespace adbrook::broker {
namespace {

using protocol::EndTxnRequest;
using protocol::EndTxnResponse;
using EndCall = Call<EndTxnRequest, EndTxnResponse>;

constexpr std::int16_t kFencedSince = 2;
constexpr std::int16_t kLastVersion = 4;

void answer_end(Broker& broker, EndCall call) {
  const std::string id(call->transactional_id);
  const ProducerIdentity who{call->producer_id, call->producer_epoch};
  const auto ending = call->committed ? Transaction::Ending::commit : Transaction::Ending::abort;
  broker.transactions().end(id, who, ending, [call = std::move(call)](ErrorCode error) mutable {
    if (error == ErrorCode::producer_fenced && call.version() < kFencedSince)
      error = ErrorCode::invalid_producer_epoch;
    call.answer({.error_code = error});
  });
}

}  // namespace

void register_end_txn(ApiTable& table) { table.add(&answer_end, kLastVersion); }

}  // namespace adbrook::broker
