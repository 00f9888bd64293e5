#include "app/kafka_flags.h"

#include <array>

#include "app/command_tree.h"
#include "base/text.h"
#include "io/input_stream.h"
#include "io/process.h"

namespace adbrook::app {
namespace {

constexpr Millis kPatienceMin{100};
constexpr Millis kPatienceMax{3'600'000};

}  // namespace

Result<std::vector<std::pair<std::string, std::string>>> split_pairs(
    const std::vector<std::string>& texts, std::string_view flag) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const auto& text : texts) {
    const auto equals = text.find('=');
    if (equals == std::string::npos || equals == 0)
      return fail(ErrorKind::invalid, std::string(flag) + " '" + printable(text) +
                                          "': it must be a name and a value with = between");
    pairs.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  return pairs;
}

Result<bus::KafkaOptions> kafka_options(const KafkaArguments& arguments) {
  auto properties = split_pairs(arguments.properties, "-X");
  if (!properties) return pass(std::move(properties.error()));
  const auto patience = parse_duration(arguments.timeout);
  if (!patience) return pass(patience.error(), "--timeout");
  if (*patience < kPatienceMin || *patience > kPatienceMax)
    return fail(ErrorKind::invalid, "--timeout '" + printable(arguments.timeout) +
                                        "': it must be between " + format_duration(kPatienceMin) +
                                        " and " + format_duration(kPatienceMax));
  return bus::KafkaOptions{arguments.bootstrap, std::move(*properties), *patience};
}

Result<bus::KafkaAdmin> open_admin(const KafkaArguments& arguments) {
  const auto options = kafka_options(arguments);
  if (!options) return pass(options.error());
  return bus::KafkaAdmin::open(*options);
}

int fail_kafka(Console& console, const Error& error) {
  console.complain(error.message);
  if (error.kind == ErrorKind::already_exists || error.kind == ErrorKind::busy) return kExitNo;
  return exit_code_of(error.kind);
}

bool confirm(Console& console, std::string_view question) {
  if (!io::is_terminal(io::StandardStream::in)) return true;
  console.say_piece(std::string(question) + " [y/N] ");
  std::array<std::byte, 64> answer;
  auto input = io::InputStream::standard_input();
  const auto size = input.read_some(answer, kPatienceMax);
  return size && *size && **size > 0 &&
         (answer[0] == std::byte{'y'} || answer[0] == std::byte{'Y'});
}

}  // namespace adbrook::app
