// AlterConfigs replaces what was set for a topic, IncrementalAlterConfigs changes single settings.
#include "protocol/k33_alter_configs.h"

#include <algorithm>
#include <list>

#include "broker/api_list.h"
#include "broker/broker.h"
#include "broker/topic_config.h"
#include "broker/topics.h"
#include "protocol/k44_incremental_alter_configs.h"

namespace adbrook::broker {
namespace {

using protocol::AlterConfigsRequest;
using protocol::AlterConfigsResponse;
using protocol::IncrementalAlterConfigsRequest;
using protocol::IncrementalAlterConfigsResponse;

constexpr std::int8_t kAlterConfigsTopicResource = 2;

enum Operation : std::int8_t { kSet = 0, kDelete = 1, kAppend = 2, kSubtract = 3 };

struct Altered {
  ErrorCode error = ErrorCode::none;
  std::string message;
};

std::vector<std::string> items_of(const std::string& list) {
  std::vector<std::string> items;
  for (std::size_t at = 0; at < list.size();) {
    const std::size_t comma = std::min(list.find(',', at), list.size());
    items.push_back(list.substr(at, comma - at));
    at = comma + 1;
  }
  return items;
}

std::string with_item(const std::string& list, const std::string& item, bool present) {
  std::vector<std::string> items = items_of(list);
  std::erase(items, item);
  if (present) items.push_back(item);
  std::string joined;
  for (const std::string& one : items) joined += (joined.empty() ? "" : ",") + one;
  return joined;
}

Altered change(const IncrementalAlterConfigsRequest::Config& asked, GivenConfig& given,
               const log::TopicDescription& topic, const BrokerOptions& options) {
  const std::string name(asked.name);
  if (asked.config_operation == kDelete) {
    given.erase(name);
    return {};
  }
  if (!asked.value) return {ErrorCode::invalid_config, "configuration " + name + " has no value"};
  const std::string value(*asked.value);
  switch (asked.config_operation) {
    case kSet: given[name] = value; return {};
    case kAppend:
    case kSubtract: {
      if (!is_list_config(name))
        return {ErrorCode::invalid_config, "configuration " + name + " is no list"};
      const auto shown = show_topic_config(topic.config, options);
      const auto known = std::ranges::find(shown, name, &ShownConfig::name);
      std::string list = given.contains(name) ? given[name] : known->value;
      for (const std::string& item : items_of(value))
        list = with_item(list, item, asked.config_operation == kAppend);
      given[name] = list;
      return {};
    }
    default: return {ErrorCode::invalid_request, "there is no such operation on a setting"};
  }
}

// Finds the topic; what is no topic cannot be altered here.
Altered check_resource(Broker& broker, std::int8_t type, std::string_view name) {
  if (type != kAlterConfigsTopicResource)
    return {ErrorCode::invalid_request,
            "only topics can be altered; the broker's settings are in its settings file"};
  if (is_internal_topic(name))
    return {ErrorCode::topic_authorization_failed, "this topic belongs to the broker"};
  const auto topic = broker.log().topic(name);
  if (!topic) return {ErrorCode::unknown_topic_or_partition, topic.error().message};
  return {};
}

Altered apply(Broker& broker, const std::string& topic, const GivenConfig& given,
              bool validate_only) {
  auto config = make_topic_config(given, broker.options());
  if (!config) return {ErrorCode::invalid_config, config.error().message};
  if (validate_only) return {};
  const auto altered = broker.log().alter_config(topic, std::move(*config));
  if (!altered) return {ErrorCode::kafka_storage_error, altered.error().message};
  return {};
}

// What the engine set for its own topics without saying so by name stays when clients alter them.
GivenConfig base_of(const log::TopicDescription& topic, const BrokerOptions& options) {
  GivenConfig given = topic.config.given;
  for (const ShownConfig& shown : show_topic_config(topic.config, options))
    if (shown.value != shown.default_value) given.try_emplace(shown.name, shown.value);
  return given;
}

Altered alter(Broker& broker, const AlterConfigsRequest::Resource& asked, bool validate_only) {
  Altered checked = check_resource(broker, asked.resource_type, asked.resource_name);
  if (checked.error != ErrorCode::none) return checked;
  GivenConfig given;
  for (const auto& config : asked.configs)
    if (config.value) given[std::string(config.name)] = *config.value;
  return apply(broker, std::string(asked.resource_name), given, validate_only);
}

Altered alter(Broker& broker, const IncrementalAlterConfigsRequest::Resource& asked,
              bool validate_only) {
  Altered checked = check_resource(broker, asked.resource_type, asked.resource_name);
  if (checked.error != ErrorCode::none) return checked;
  const auto topic = broker.log().topic(asked.resource_name);
  if (!topic) return {ErrorCode::unknown_topic_or_partition, topic.error().message};
  GivenConfig given = base_of(*topic, broker.options());
  for (const auto& config : asked.configs) {
    Altered changed = change(config, given, *topic, broker.options());
    if (changed.error != ErrorCode::none) return changed;
  }
  return apply(broker, topic->name, given, validate_only);
}

template <class Request, class Response>
void answer_alter(Broker& broker, Call<Request, Response> made) {
  broker.slow_executor().post([&broker, call = std::move(made)]() mutable {
    std::list<Altered> all;
    Response response;
    for (const auto& asked : call->resources) {
      const Altered& altered = all.emplace_back(alter(broker, asked, call->validate_only));
      auto& shown = response.responses.emplace_back();
      shown.resource_type = asked.resource_type;
      shown.resource_name = asked.resource_name;
      shown.error_code = altered.error;
      if (altered.error != ErrorCode::none) shown.error_message = altered.message;
    }
    call.answer(response);
  });
}

}  // namespace

void register_alter_configs(ApiTable& table) {
  table.add(&answer_alter<AlterConfigsRequest, AlterConfigsResponse>);
  table.add(&answer_alter<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>);
}

}  // namespace adbrook::broker
