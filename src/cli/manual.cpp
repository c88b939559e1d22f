#include "cli/manual.hpp"

#include <fmt/ranges.h>

#include <sstream>

#include "cli/command_names.hpp"
#include "cli/exit_code.hpp"
#include "cli/version.hpp"

namespace tern::cli {
namespace {

// Text that troff shows as it is.
std::string shown(std::string_view text) {
  std::string out;
  bool at_start = true;
  for (const char c : text) {
    if (at_start && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
    at_start = c == '\n';
  }
  return out;
}

std::string title(std::string_view page) {
  std::string upper;
  for (const char c : page) upper += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return fmt::format(".TH {} 1 \"\" \"{}\" \"Tern\"\n", shown(upper), version_text());
}

std::string verbatim(std::string_view text) {
  std::string out = ".nf\n";
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) out += line.empty() ? "\\&\n" : shown(line) + "\n";
  return out + ".fi\n";
}

std::string entry(const OptionText& option) {
  std::string head;
  if (option.is_argument) {
    head = fmt::format("\\fI{}\\fR", shown(option.value));
  } else {
    for (const std::string& name : option.names) {
      head += fmt::format("{}\\fB{}\\fR", head.empty() ? "" : ", ", shown(name));
    }
    if (!option.value.empty()) head += fmt::format(" \\fI{}\\fR", shown(option.value));
  }
  return fmt::format(".TP\n{}\n{}\n", head, shown(option.help + (option.is_required ? " (required)" : "")));
}

std::string exit_status() {
  std::string out = ".SH EXIT STATUS\n";
  for (const ExitCodeText& exit : kExitCodes)
    out += fmt::format(".TP\n\\fB{}\\fR\n{}\n", exit.code, shown(exit.meaning));
  return out;
}

}  // namespace

std::string main_manual(std::span<const CommandText> commands) {
  std::string out = title("tern");
  out +=
      ".SH NAME\ntern \\- train, convert, quantise, measure and run low\\-bit language models on CPUs\n"
      ".SH SYNOPSIS\n\\fBtern\\fR \\fICOMMAND\\fR [\\fIoptions\\fR]\n.br\n\\fBtern help\\fR [\\fICOMMAND\\fR]\n"
      ".SH DESCRIPTION\nTern is a workbench for language models with 1\\-bit, ternary and other low\\-bit weights.\n"
      "Results go to the standard output and everything else to the standard error;\n"
      "\\fB\\-\\-json\\fR gives one JSON value. Each command has a page of its own.\n"
      ".SH COMMANDS\n";
  for (const CommandText& command : commands) {
    out += fmt::format(".TP\n\\fBtern\\-{}\\fR(1)\n{}\n", shown(hyphenated(command.name)), shown(command.summary));
  }
  out +=
      ".SH ENVIRONMENT\n.TP\n\\fBTERN_ISA\\fR\nInstruction set to use instead of the best; see tern\\-doctor(1).\n"
      ".TP\n\\fBNO_COLOR\\fR\nNo colours in tables on a terminal.\n";
  return out + exit_status();
}

std::string command_manual(const CommandText& command) {
  std::string out = title("tern-" + hyphenated(command.name));
  out += fmt::format(".SH NAME\ntern\\-{} \\- {}\n.SH SYNOPSIS\n\\fB{}\\fR\n", shown(hyphenated(command.name)),
                     shown(command.summary), shown(usage_of(command)));
  std::string arguments;
  std::string options;
  for (const OptionText& option : command.options) (option.is_argument ? arguments : options) += entry(option);
  if (!arguments.empty()) out += ".SH ARGUMENTS\n" + arguments;
  if (!options.empty()) out += ".SH OPTIONS\n" + options;
  if (!command.footer.empty()) out += ".SH NOTES\n" + verbatim(command.footer);
  out += ".SH EXAMPLES\n" + verbatim(fmt::format("{}", fmt::join(command.examples, "\n")));
  out += exit_status() + ".SH SEE ALSO\n\\fBtern\\fR(1)";
  for (const std::string_view second : second_words(command.name)) {
    out += fmt::format(",\n\\fBtern\\-{}\\fR(1)", shown(fmt::format("{}-{}", command.name, second)));
  }
  return out + "\n";
}

}  // namespace tern::cli
