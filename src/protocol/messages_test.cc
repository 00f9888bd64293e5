#include "protocol/messages.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <random>

#include "protocol/codec.h"
#include "protocol/k18_api_versions.h"
#include "protocol/random_message_test.h"

namespace adbrook::protocol {
namespace {

// From ADBROOK_SEED when that is set; printed, so that a failure can be repeated.
std::uint64_t test_seed() {
  const char* given = std::getenv("ADBROOK_SEED");
  const std::uint64_t seed =
      given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  std::cout << "ADBROOK_SEED=" << seed << "\n";
  return seed;
}

struct Case {
  const Api* api;
  const MessageType* type;
  bool is_request;
  Style style;

  std::string name() const {
    return std::string(api->name) + (is_request ? " request " : " response ") +
           std::to_string(style.version);
  }
};

template <class Check>
void for_each_version(Check check) {
  for (const ApiEntry& entry : all_apis())
    for (std::int16_t version = entry.api->first; version <= entry.api->last; ++version) {
      check(Case{entry.api, &entry.request, true, style_of(*entry.api, version)});
      check(Case{entry.api, &entry.response, false, style_of(*entry.api, version)});
    }
}

Buffer encoded(const Case& c, const void* message) {
  Frame frame;
  encode(frame, *c.type->shape, c.style, message);
  return frame.joined();
}

TEST(Messages, every_version_reads_back_what_it_wrote) {
  const std::uint64_t seed = test_seed();
  RandomMessage random(seed);
  std::size_t cases = 0;
  for_each_version([&](const Case& c) {
    for (int round = 0; round < 30; ++round, ++cases) {
      const ErasedMessage written = c.type->make();
      random.fill(*c.type->shape, c.style, written.get());
      const Buffer bytes = encoded(c, written.get());
      ASSERT_EQ(bytes.size(), encoded_size(*c.type->shape, c.style, written.get())) << c.name();
      const ErasedMessage read = c.type->make();
      const auto result = decode(*c.type->shape, c.style, bytes, read.get());
      ASSERT_TRUE(result) << c.name() << ": " << result.error().message;
      ASSERT_TRUE(equal(*c.type->shape, written.get(), read.get()))
          << c.name() << "\n"
          << to_text(*c.type->shape, c.style, written.get()) << "\n"
          << to_text(*c.type->shape, c.style, read.get());
      ASSERT_EQ(encoded(c, read.get()), bytes) << c.name();
    }
  });
  EXPECT_GT(cases, 10'000u);
}

TEST(Messages, a_default_message_can_be_written_in_every_version) {
  for_each_version([&](const Case& c) {
    const ErasedMessage message = c.type->make();
    const ErasedMessage read = c.type->make();
    EXPECT_TRUE(decode(*c.type->shape, c.style, encoded(c, message.get()), read.get())) << c.name();
  });
}

TEST(Messages, a_cut_at_any_byte_is_an_error) {
  RandomMessage random(test_seed());
  for_each_version([&](const Case& c) {
    const ErasedMessage written = c.type->make();
    random.fill(*c.type->shape, c.style, written.get());
    const Buffer bytes = encoded(c, written.get());
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      // A copy of its own size, so that a sanitizer sees a read behind the end.
      const Buffer cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
      const ErasedMessage read = c.type->make();
      const auto result = decode(*c.type->shape, c.style, cut, read.get());
      ASSERT_FALSE(result) << c.name() << " cut to " << size << " of " << bytes.size();
      ASSERT_EQ(result.error().kind, ErrorKind::invalid);
    }
  });
}

TEST(Messages, a_byte_behind_the_end_is_an_error_unless_it_is_to_be_ignored) {
  RandomMessage random(test_seed());
  for_each_version([&](const Case& c) {
    const ErasedMessage written = c.type->make();
    random.fill(*c.type->shape, c.style, written.get());
    Buffer bytes = encoded(c, written.get());
    bytes.push_back(std::byte{0});
    EXPECT_FALSE(decode(*c.type->shape, c.style, bytes, c.type->make().get())) << c.name();
    const ErasedMessage read = c.type->make();
    EXPECT_TRUE(decode(*c.type->shape, c.style, bytes, read.get(), BytesBehind::ignored))
        << c.name();
    EXPECT_TRUE(equal(*c.type->shape, written.get(), read.get())) << c.name();
  });
}

TEST(Messages, changed_bytes_are_refused_or_read_alike_when_written_again) {
  const std::uint64_t seed = test_seed();
  RandomMessage random(seed);
  for_each_version([&](const Case& c) {
    for (int round = 0; round < 40; ++round) {
      const ErasedMessage written = c.type->make();
      random.fill(*c.type->shape, c.style, written.get());
      Buffer bytes = encoded(c, written.get());
      if (bytes.empty()) continue;
      for (std::uint64_t left = 1 + random.below(3); left > 0; --left)
        bytes[random.below(bytes.size())] = static_cast<std::byte>(random.below(256));
      const ErasedMessage read = c.type->make();
      if (!decode(*c.type->shape, c.style, bytes, read.get())) continue;
      const Buffer again = encoded(c, read.get());
      const ErasedMessage reread = c.type->make();
      ASSERT_TRUE(decode(*c.type->shape, c.style, again, reread.get())) << c.name();
      ASSERT_TRUE(equal(*c.type->shape, read.get(), reread.get())) << c.name();
    }
  });
}

TEST(Messages, a_key_finds_its_api) {
  for (const ApiEntry& entry : all_apis()) EXPECT_EQ(find_api(entry.api->key), entry.api);
  EXPECT_EQ(find_api(18), &kApiVersions);
  EXPECT_EQ(find_api(7), nullptr);
  EXPECT_EQ(find_api(-1), nullptr);
  EXPECT_EQ(find_api(32767), nullptr);
}

// Bytes cannot make a reader go deeper than the types of the messages are nested.
std::size_t depth(const Shape& shape) {
  std::size_t deepest = 0;
  for (const Field& field : shape.fields)
    if (field.type.shape != nullptr) deepest = std::max(deepest, depth(*field.type.shape));
  return deepest + 1;
}

TEST(Messages, structs_nest_a_few_levels_deep) {
  for (const ApiEntry& entry : all_apis()) {
    EXPECT_LE(depth(*entry.request.shape), 6u) << entry.api->name;
    EXPECT_LE(depth(*entry.response.shape), 6u) << entry.api->name;
  }
}

}  // namespace
}  // namespace adbrook::protocol
