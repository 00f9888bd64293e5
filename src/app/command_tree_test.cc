#include "app/command_tree.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <functional>

#include "app/command_text.h"

namespace adbrook::app {
namespace {

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

bool installed(const std::string& program) {
  return std::system(("command -v " + program + " >/dev/null 2>&1").c_str()) == 0;
}

// Exit code of `command` with `text` in the file that its %s names.
int run_with_file(const std::string& command, const std::string& text) {
  const std::string path = testing::TempDir() + "adbrook-command-text";
  std::ofstream(path) << text;
  std::string line = command;
  line.replace(line.find("%s"), 2, path);
  return std::system(line.c_str());
}

void each_command(const CommandDescription& at, std::vector<std::string>& path,
                  const std::function<void(const CommandDescription&)>& visit) {
  visit(at);
  for (const auto& child : at.commands) {
    path.push_back(child.name);
    each_command(child, path, visit);
    path.pop_back();
  }
}

TEST(CommandLine, flags_reach_the_arguments) {
  const auto parsed = parse_command_line({"generate", "--events", "10", "--seed=7", "--to", "-"});
  ASSERT_TRUE(parsed.run) << parsed.error;
  EXPECT_EQ(parsed.arguments.command, std::vector<std::string>{"generate"});
  EXPECT_EQ(parsed.arguments.generate.events, 10);
  EXPECT_EQ(parsed.arguments.generate.seed, 7u);
  EXPECT_EQ(parsed.arguments.send.to, "-");
}

TEST(CommandLine, repeated_flags_and_positionals_are_all_kept) {
  const auto parsed = parse_command_line(
      {"report", "click-through", "--where", "country=FR", "--where", "platform=ios", "--json"});
  ASSERT_TRUE(parsed.run) << parsed.error;
  EXPECT_EQ(parsed.arguments.command, (std::vector<std::string>{"report", "click-through"}));
  EXPECT_EQ(parsed.arguments.report.where.size(), 2u);
  EXPECT_EQ(parsed.arguments.format, "json");
  const auto import = parse_command_line({"import", "a.gz", "b.gz", "--as", "usagov"});
  EXPECT_EQ(import.arguments.import.files.size(), 2u) << import.error;
  const auto signed_url =
      parse_command_line({"sign-url", "--param", "campaignId=1", "https://example.com"});
  ASSERT_TRUE(signed_url.run) << signed_url.error;
  EXPECT_EQ(signed_url.arguments.sign.target, "https://example.com");
}

TEST(CommandLine, letters_are_named_and_changed) {
  const auto parsed = parse_command_line({"dead-letters", "redrive", "a", "b", "--set", "x=1",
                                          "--set", "y=", "--as", "clicks", "--dry-run"});
  ASSERT_TRUE(parsed.run) << parsed.error;
  EXPECT_EQ(parsed.arguments.redrive.letters, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(parsed.arguments.redrive.set, (std::vector<std::string>{"x=1", "y="}));
  EXPECT_TRUE(parsed.arguments.redrive.dry_run);
  EXPECT_EQ(parse_command_line({"dead-letters", "redrive", "--as", "x"}).exit_code, kExitUsage);
}

TEST(CommandLine, a_wrong_word_gets_exit_code_two_and_the_nearest_one) {
  for (const auto& [words, nearest] : std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{"serv"}, "did you mean 'serve'?"},
           {{"serve", "--dta", "x"}, "did you mean '--data'?"},
           {{"report", "click-trough"}, "did you mean 'click-through'?"}}) {
    const auto parsed = parse_command_line(words);
    EXPECT_FALSE(parsed.run);
    EXPECT_EQ(parsed.exit_code, kExitUsage);
    EXPECT_TRUE(has(parsed.error, nearest)) << parsed.error;
    EXPECT_TRUE(has(parsed.error, "--help")) << parsed.error;
  }
}

TEST(CommandLine, a_missing_or_mistyped_value_gets_exit_code_two) {
  EXPECT_EQ(parse_command_line({"event"}).exit_code, kExitUsage);
  EXPECT_EQ(parse_command_line({"import"}).exit_code, kExitUsage);
  EXPECT_EQ(parse_command_line({"generate", "--events", "many"}).exit_code, kExitUsage);
  EXPECT_EQ(parse_command_line({"completions", "tcsh"}).exit_code, kExitUsage);
  EXPECT_EQ(parse_command_line({"report"}).exit_code, kExitUsage);
}

TEST(CommandLine, help_of_every_command_starts_with_its_examples) {
  std::vector<std::string> path;
  each_command(describe_commands(), path, [&](const CommandDescription& command) {
    auto words = path;
    words.push_back("--help");
    const auto parsed = parse_command_line(words);
    EXPECT_FALSE(parsed.run);
    EXPECT_EQ(parsed.exit_code, 0);
    EXPECT_TRUE(has(parsed.out, "Usage: adbrook")) << parsed.out;
    const bool group = !command.commands.empty() && !path.empty();
    if (!command.hidden && !group) {
      EXPECT_TRUE(parsed.out.starts_with("Examples:\n")) << command.name;
    }
  });
}

TEST(CommandLine, every_example_of_the_help_parses) {
  std::vector<std::string> path;
  each_command(describe_commands(), path, [&](const CommandDescription& command) {
    for (const auto& example : command.examples) {
      std::vector<std::string> words;
      std::string word;
      for (const char c : example.command + " ") {
        if (c != ' ')
          word += c;
        else if (!word.empty())
          words.push_back(std::exchange(word, ""));
      }
      while (!words.empty() && words.front() != "adbrook") words.erase(words.begin());
      if (words.empty()) continue;  // the shell's own syntax in front
      words.erase(words.begin());
      for (std::size_t i = 0; i < words.size(); ++i)
        if (words[i] == ">" || words[i] == "|") words.resize(i);
      const auto parsed = parse_command_line(words);
      EXPECT_TRUE(parsed.run) << example.command << ": " << parsed.error;
    }
  });
}

TEST(CommandText, bash_completions_parse_and_complete) {
  const auto text = bash_completions(describe_commands());
  EXPECT_EQ(run_with_file("bash -n %s", text), 0);
  const std::string complete =
      "\nCOMP_WORDS=(adbrook dead-letters l); COMP_CWORD=2; _adbrook; [ \"${COMPREPLY[*]}\" = list "
      "] "
      "|| { echo \"got: ${COMPREPLY[*]}\"; exit 1; }\n"
      "COMP_WORDS=(adbrook report click-through --format js); COMP_CWORD=4; _adbrook; "
      "[ \"${COMPREPLY[*]}\" = json ] || { echo \"got: ${COMPREPLY[*]}\"; exit 1; }\n";
  EXPECT_EQ(run_with_file("bash %s", text + complete), 0);
}

TEST(CommandText, zsh_completions_parse) {
  if (!installed("zsh")) GTEST_SKIP() << "zsh is not installed";
  EXPECT_EQ(run_with_file("zsh -n %s", zsh_completions(describe_commands())), 0);
}

TEST(CommandText, fish_completions_parse) {
  if (!installed("fish")) GTEST_SKIP() << "fish is not installed";
  EXPECT_EQ(run_with_file("fish -n %s", fish_completions(describe_commands())), 0);
}

TEST(CommandText, completions_know_every_command_but_the_hidden_one) {
  const auto root = describe_commands();
  for (const auto& text : {bash_completions(root), zsh_completions(root), fish_completions(root)}) {
    for (const auto& command : root.commands) EXPECT_TRUE(has(text, command.name)) << command.name;
    EXPECT_FALSE(has(text, "markdown"));
  }
}

TEST(CommandText, the_manual_page_is_clean_mdoc) {
  const auto page = manual_page(describe_commands());
  EXPECT_TRUE(page.starts_with(".Dd "));
  if (!installed("mandoc")) GTEST_SKIP() << "mandoc is not installed";
  EXPECT_EQ(run_with_file("mandoc -Tlint -Wwarning %s", page), 0);
}

}  // namespace
}  // namespace adbrook::app
