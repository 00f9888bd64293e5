// DeleteTopics: by name or id; the engine's own topics stay.
#include "protocol/k20_delete_topics.h"

#include "broker/api_list.h"
#include "broker/broker.h"
#include "broker/topics.h"

namespace adbrook::broker {
namespace {

using protocol::DeleteTopicsRequest;
using protocol::DeleteTopicsResponse;
using protocol::ErrorCode;
using DeleteTopicsCall = Call<DeleteTopicsRequest, DeleteTopicsResponse>;

constexpr std::int16_t kDeleteTopicsIdsSince = 6;

struct Gone {
  std::string name;
  Uuid id;
  ErrorCode error = ErrorCode::none;
  std::string message;
};

Gone erase(Broker& broker, std::string_view name, Uuid id, bool by_id) {
  const auto topic = find_topic(broker.log(), name, id, by_id);
  if (!topic) return {std::string(name), id, unknown_topic_code(by_id), topic.error().message};
  Gone gone{topic->name, topic->id};
  if (broker.is_protected(topic->name)) {
    gone.error = ErrorCode::topic_authorization_failed;
    gone.message = "topic '" + topic->name + "' belongs to the engine and stays";
  } else if (const auto deleted = broker.log().delete_topic(topic->name); !deleted) {
    gone.error = deleted.error().kind == ErrorKind::not_found
                     ? ErrorCode::unknown_topic_or_partition
                     : ErrorCode::kafka_storage_error;
    gone.message = deleted.error().message;
  }
  return gone;
}

void delete_topics(Broker& broker, DeleteTopicsCall call) {
  std::vector<Gone> all;
  for (const std::string_view name : call->topic_names)
    all.push_back(erase(broker, name, {}, false));
  for (const auto& topic : call->topics)
    all.push_back(erase(broker, topic.name.value_or(""), topic.topic_id, !topic.name));
  DeleteTopicsResponse response;
  for (const Gone& gone : all) {
    auto& topic = response.responses.emplace_back();
    const bool unnamed = call.version() >= kDeleteTopicsIdsSince && gone.name.empty();
    if (!unnamed) topic.name = gone.name;
    topic.topic_id = gone.id;
    topic.error_code = gone.error;
    if (gone.error != ErrorCode::none) topic.error_message = gone.message;
  }
  call.answer(response);
}

void answer_delete_topics(Broker& broker, DeleteTopicsCall call) {
  broker.slow_executor().post(
      [&broker, call = std::move(call)]() mutable { delete_topics(broker, std::move(call)); });
}

}  // namespace

void register_delete_topics(ApiTable& table) { table.add(&answer_delete_topics); }

}  // namespace adbrook::broker
