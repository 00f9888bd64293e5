// ListTransactions: all transactional ids, filtered by state, producer and age. Version 2, which
// filters by a pattern, is not offered.
#include "protocol/k66_list_transactions.h"

#include <algorithm>
#include <array>

#include "broker/api_list.h"
#include "broker/broker.h"

namespace adbrook::broker {
namespace {

using protocol::ListTransactionsRequest;
using protocol::ListTransactionsResponse;
using ListTransactionsCall = Call<ListTransactionsRequest, ListTransactionsResponse>;

constexpr std::int16_t kLastVersion = 1;
constexpr std::array<std::string_view, 8> kStates{
    "Empty",          "Ongoing",       "PrepareCommit", "PrepareAbort",
    "CompleteCommit", "CompleteAbort", "Dead",          "PrepareEpochFence"};

bool passes(const ListTransactionsCall& call, const TransactionSnapshot& snapshot, Timestamp now) {
  const auto& states = call->state_filters;
  const auto& producers = call->producer_id_filters;
  if (!states.empty() && std::ranges::find(states, to_string(snapshot.state)) == states.end())
    return false;
  if (!producers.empty() && std::ranges::find(producers, snapshot.producer.id) == producers.end())
    return false;
  if (call->duration_filter < 0) return true;
  return snapshot.state == TransactionState::ongoing &&
         (now - snapshot.started).count() >= call->duration_filter;
}

void answer_list_transactions(Broker& broker, ListTransactionsCall call) {
  ListTransactionsResponse response;
  for (const std::string_view state : call->state_filters)
    if (std::ranges::find(kStates, state) == kStates.end())
      response.unknown_state_filters.push_back(state);
  const auto all = broker.transactions().list();
  for (const auto& listed : all)
    if (passes(call, listed.snapshot, broker.clock().now()))
      response.transaction_states.push_back(
          {.transactional_id = listed.id,
           .producer_id = listed.snapshot.producer.id,
           .transaction_state = to_string(listed.snapshot.state)});
  call.answer(response);
}

}  // namespace

void register_list_transactions(ApiTable& table) {
  table.add(&answer_list_transactions, kLastVersion);
}

}  // namespace adbrook::broker
