#include "broker/topics.h"

#include <algorithm>

#include "base/text.h"

namespace adbrook::broker {
namespace {

std::string metric_form(std::string_view name) {
  std::string form(name);
  std::ranges::replace(form, '.', '_');
  return form;
}

}  // namespace

std::string topic_name_complaint(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  if (name.empty() || name == "." || name == "..")
    return "a topic's name must not be empty, '.' or '..'";
  if (name.size() > kTopicNameSizeMax)
    return "a topic's name has at most 249 characters, this one " + std::to_string(name.size());
  if (!std::ranges::all_of(name, allowed))
    return "topic name '" + printable(name) + "' may only have letters, digits, '.', '_' and '-'";
  return {};
}

bool collides(std::string_view name, const std::vector<log::TopicDescription>& existing) {
  const std::string form = metric_form(name);
  return std::ranges::any_of(existing, [&](const log::TopicDescription& topic) {
    return topic.name != name && metric_form(topic.name) == form;
  });
}

Result<log::TopicDescription> find_topic(const log::Log& log, std::string_view name, Uuid id,
                                         bool by_id) {
  return by_id ? log.topic(id) : log.topic(name);
}

}  // namespace adbrook::broker
