// EndTxn: answered when markers, offsets and the new state are durable. From 5 on it raises the
// producer's epoch, so that an end which comes late, or twice, finds no later transaction.
#include "protocol/k26_end_txn.h"

#include "broker/api_list.h"
#include "broker/broker.h"

namespace adbrook::broker {
namespace {

using protocol::EndTxnRequest;
using protocol::EndTxnResponse;
using EndCall = Call<EndTxnRequest, EndTxnResponse>;

constexpr std::int16_t kEndTxnFencedSince = 2;
constexpr std::int16_t kRaisesEpochSince = 5;

void answer_end(Broker& broker, EndCall call) {
  const std::string id(call->transactional_id);
  const Transaction::EndRequest request{
      .who = {call->producer_id, call->producer_epoch},
      .ending = call->committed ? Transaction::Ending::commit : Transaction::Ending::abort,
      .raises_epoch = call.version() >= kRaisesEpochSince};
  broker.transactions().end(
      id, request, [call = std::move(call)](ErrorCode error, ProducerIdentity next) mutable {
        if (error == ErrorCode::producer_fenced && call.version() < kEndTxnFencedSince)
          error = ErrorCode::invalid_producer_epoch;
        call.answer({.error_code = error, .producer_id = next.id, .producer_epoch = next.epoch});
      });
}

}  // namespace

void register_end_txn(ApiTable& table) { table.add(&answer_end); }

}  // namespace adbrook::broker
