// DescribeConfigs: every setting with its default and where it comes from; an answer with gaps
// makes clients that read, change and write back wipe what was missing.
#include "protocol/k32_describe_configs.h"

#include <algorithm>
#include <list>

#include "broker/api_list.h"
#include "broker/broker.h"
#include "broker/topic_config.h"
#include "broker/topics.h"

namespace adbrook::broker {
namespace {

using protocol::DescribeConfigsRequest;
using protocol::DescribeConfigsResponse;
using DescribeCall = Call<DescribeConfigsRequest, DescribeConfigsResponse>;

constexpr std::int8_t kDescribeConfigsTopicResource = 2;
constexpr std::int8_t kBrokerResource = 4;
constexpr std::int8_t kFromTopic = 1;
constexpr std::int8_t kFromSettingsFile = 4;
constexpr std::int8_t kFromDefault = 5;

// Builds the answer, keeping the texts that it shows.
class DescribeConfigsAnswering {
 public:
  DescribeConfigsAnswering(Broker& broker, const DescribeCall& call)
      : broker_(broker), call_(call) {}

  DescribeConfigsResponse::Resource resource(const DescribeConfigsRequest::Resource& asked) {
    DescribeConfigsResponse::Resource shown{.resource_type = asked.resource_type,
                                            .resource_name = asked.resource_name};
    if (asked.resource_type == kDescribeConfigsTopicResource) {
      const auto topic = broker_.log().topic(asked.resource_name);
      if (!topic)
        return refused(shown,
                       topic_name_complaint(asked.resource_name).empty()
                           ? ErrorCode::unknown_topic_or_partition
                           : ErrorCode::invalid_topic_exception,
                       topic.error().message);
      add(shown, asked, show_topic_config(topic->config, broker_.options()), false);
    } else if (asked.resource_type == kBrokerResource) {
      const bool mine =
          asked.resource_name.empty() || asked.resource_name == std::to_string(broker_.node_id());
      if (!mine)
        return refused(shown, ErrorCode::invalid_request,
                       "the only broker is " + std::to_string(broker_.node_id()));
      const Endpoint& endpoint = call_.client().advertised;
      add(shown, asked,
          show_broker_config(broker_.options(), broker_.group_options(),
                             endpoint.host + ":" + std::to_string(endpoint.port)),
          true);
    } else {
      return refused(shown, ErrorCode::invalid_request,
                     "only topics and the broker have settings here");
    }
    return shown;
  }

 private:
  DescribeConfigsResponse::Resource refused(DescribeConfigsResponse::Resource shown,
                                            ErrorCode error, std::string why) {
    shown.error_code = error;
    shown.error_message = keep(std::move(why));
    return shown;
  }

  void add(DescribeConfigsResponse::Resource& shown, const DescribeConfigsRequest::Resource& asked,
           const std::vector<ShownConfig>& configs, bool of_broker) {
    for (const ShownConfig& config : configs) {
      if (asked.configuration_keys && std::ranges::find(*asked.configuration_keys, config.name) ==
                                          asked.configuration_keys->end())
        continue;
      const std::int8_t given = of_broker ? kFromSettingsFile : kFromTopic;
      auto& entry = shown.configs.emplace_back();
      entry.name = keep(config.name);
      entry.value = keep(config.value);
      entry.read_only = of_broker;
      entry.config_source = config.given ? given : kFromDefault;
      entry.config_type = static_cast<std::int8_t>(config.type);
      if (call_->include_documentation) entry.documentation = keep(config.about);
      if (!call_->include_synonyms) continue;
      if (config.given) entry.synonyms.push_back({entry.name, entry.value, given});
      entry.synonyms.push_back({entry.name, keep(config.default_value), kFromDefault});
    }
  }

  std::string_view keep(std::string text) { return texts_.emplace_back(std::move(text)); }

  Broker& broker_;
  const DescribeCall& call_;
  std::list<std::string> texts_;  // stays where it is while it grows
};

void answer_describe_configs(Broker& broker, DescribeCall call) {
  DescribeConfigsAnswering answering(broker, call);
  DescribeConfigsResponse response;
  for (const auto& asked : call->resources) response.results.push_back(answering.resource(asked));
  call.answer(response);
}

}  // namespace

void register_describe_configs(ApiTable& table) { table.add(&answer_describe_configs); }

}  // namespace adbrook::broker
