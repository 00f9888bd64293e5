// InitProducerId: an id that was never used, or the next epoch of a transactional id, which fences
// whoever had the one before.
#include "protocol/k22_init_producer_id.h"

#include "broker/api_list.h"
#include "broker/broker.h"

namespace adbrook::broker {
namespace {

using protocol::InitProducerIdRequest;
using protocol::InitProducerIdResponse;
using InitCall = Call<InitProducerIdRequest, InitProducerIdResponse>;

constexpr std::int16_t kInitProducerIdFencedSince = 4;

// An idempotent producer may raise its own epoch without asking; one that asks gets a fresh id.
void answer_idempotent(Broker& broker, InitCall call) {
  broker.producer_ids().take(
      [call = std::move(call)](ErrorCode error, std::int64_t producer_id) mutable {
        InitProducerIdResponse response{.error_code = error};
        if (error == ErrorCode::none) {
          response.producer_id = producer_id;
          response.producer_epoch = 0;
        }
        call.answer(response);
      });
}

void answer_init_producer_id(Broker& broker, InitCall call) {
  if (!call->transactional_id) return answer_idempotent(broker, std::move(call));
  const std::string id(*call->transactional_id);
  const Transaction::InitRequest request{.timeout = Millis(call->transaction_timeout_ms),
                                         .expected = {call->producer_id, call->producer_epoch}};
  broker.transactions().init(
      id, request, [call = std::move(call)](ErrorCode error, ProducerIdentity identity) mutable {
        if (error == ErrorCode::producer_fenced && call.version() < kInitProducerIdFencedSince)
          error = ErrorCode::invalid_producer_epoch;
        InitProducerIdResponse response{.error_code = error};
        if (error == ErrorCode::none) {
          response.producer_id = identity.id;
          response.producer_epoch = identity.epoch;
        }
        call.answer(response);
      });
}

}  // namespace

void register_init_producer_id(ApiTable& table) { table.add(&answer_init_producer_id); }

}  // namespace adbrook::broker
