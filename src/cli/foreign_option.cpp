#include "cli/foreign_option.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "base/words.hpp"

namespace tern::cli {
namespace {

struct ForeignOption {
  std::string_view names;  // separated by spaces
  std::string_view reason;
  std::string_view only_with = {};  // the option of Tern that the reason speaks of: said to commands that have it
};

constexpr ForeignOption kForeign[] = {
    {"-ngl --gpu-layers --n-gpu-layers -sm --split-mode -ts --tensor-split -mg --main-gpu -dev --device -nkvo "
     "--no-kv-offload -ot --override-tensor -cmoe --cpu-moe -ncmoe --n-cpu-moe -fit --fit",
     "Tern runs on the CPU, nothing is offloaded"},
    {"-cnv --conversation -i --interactive -if --interactive-first -mli --multiline-input", "use tern chat"},
    {"-no-cnv --no-conversation", "tern run only continues the text; leave it out"},
    {"-st --single-turn", "tern run ends after its answer, and tern chat at the end of its input; leave it out"},
    {"-sys --system-prompt -sysf --system-prompt-file", "use tern chat --system TEXT"},
    {"-fa --flash-attn", "Tern has one kind of attention; leave it out"},
    {"-b --batch-size -ub --ubatch-size", "Tern chooses how many tokens it computes at once; leave it out"},
    {"-tb --threads-batch", "there is one number of threads, -t"},
    {"-ctk", "use --cache-type-k", "--cache-type-k"},
    {"-ctv", "use --cache-type-v", "--cache-type-v"},
    {"-ctk --cache-type-k -ctv --cache-type-v", "the cache's type cannot be chosen here"},
    {"--mmap", "use --pages mmap", "--pages"},
    {"-nommap --no-mmap -no-mmap", "use --pages huge", "--pages"},
    {"-nommap --no-mmap -no-mmap --mmap", "this command always maps the file; leave it out"},
    {"--mlock --numa -dio --direct-io", "Tern has nothing like it; leave it out"},
    {"-hf -hfr --hf-repo -hff --hf-file -mu --model-url -dr --docker-repo",
     "Tern downloads nothing; name a file that is there with -m"},
    {"--jinja --chat-template --chat-template-file -rea --reasoning-format --reasoning-budget",
     "tern chat takes the template from the model"},
    {"--no-warmup --warmup --simple-io --log-disable -lv --log-verbosity -lf --log-file --color -co --no-perf -e "
     "--escape --no-escape --no-display-prompt --verbose-prompt",
     "Tern has nothing like it; leave it out"},
    {"-r --reverse-prompt --stop-sequence --stop-sequences", "use --stop TEXT", "--stop"},
    {"--temperature", "use --temp", "--temp"},
    {"--repetition-penalty --rep-pen", "use --repeat-penalty", "--repeat-penalty"},
    {"--predict --max-tokens --max-new-tokens --n-tokens", "use -n", "--n-predict"},
    {"--context --context-size --n-ctx --max-seq-len", "use -c", "--ctx-size"},
    {"--prompt-file", "use -f FILE", "--file"},
    // llama-embedding
    {"--embd-normalize", "vectors have length 1, as with 2; --no-normalize leaves them as they are, as -1 does",
     "--no-normalize"},
    {"--embd-output-format", "use --json for text, -o FILE.npy for numbers", "--pooling"},
    {"--embd-separator", "give each text its own -p, or a line of -f FILE", "--pooling"},
    {"--attention --cls-separator --embd-gemma-default", "the model's file says it; leave it out", "--pooling"},
    // llama-gguf-split
    {"--merge", "use tern join PART OUT"},
    {"--split", "use tern split IN PREFIX, which needs no such option"},
    {"--max-size --split-size", "use --split-max-size", "--split-max-size"},
    {"--max-tensors --split-tensors", "use --split-max-tensors", "--split-max-tensors"},
    // llama-tokenize
    {"--no-bos", "no BOS is put in front without --bos; leave it out", "--bos"},
    {"--no-parse-special", "names of special tokens are text without --parse-special; leave it out", "--parse-special"},
    {"--stdin", "without -p and -f the standard input is read; leave it out", "--pieces"},
    {"--show-count", "use --json, which counts them", "--pieces"},
    // llama-quantize
    {"--prune-layers", "Tern leaves out no layers", "--tensor-type"},
    {"-j --json-schema -jf --json-schema-file --grammar --grammar-file", "Tern has no grammars"},
    {"--lora --lora-scaled --control-vector -md --model-draft --spec-draft-model -mm --mmproj --image --audio",
     "Tern runs one model of text alone"},
    {"--draft-min --draft-n-min --draft-p-min --spec-type -lcs --lookup-cache-static -lcd --lookup-cache-dynamic",
     "guesses come from the text so far alone; --draft-max says how many at once", "--draft-max"},
    {"-np --parallel -cb --cont-batching -ns --sequences --ppl-stride --hellaswag --winogrande --multiple-choice "
     "--kl-divergence",
     "Tern has nothing like it"},
    {"-bf --binary-file", "use -f, which takes a file byte for byte"},
    {"--keep --ctx-shift --no-context-shift --prompt-cache -gan --grp-attn-n",
     "Tern does not shift the context; use a larger -c"},
    {"--rope-scaling --rope-scale --rope-freq-base --rope-freq-scale --yarn-orig-ctx --yarn-ext-factor",
     "the file says how positions are turned"},
    {"--mirostat --typical --typical-p --dynatemp-range --xtc-probability --dry-multiplier --samplers "
     "--presence-penalty --frequency-penalty --logit-bias -l --top-nsigma",
     "Tern samples with --temp, --top-k, --top-p, --min-p and --repeat-penalty"},
};

bool has_name(const CLI::App& command, const std::string& name) {
  return command.get_option_no_throw(name) != nullptr;
}

// "-n=3" would be the value "=3"; a text may begin with "=".
bool takes_value_but_text(const CLI::App& command, const std::string& name) {
  const CLI::Option* option = command.get_option_no_throw(name);
  return option != nullptr && option->get_expected_max() > 0 && option->get_type_name() != "TEXT";
}

// "-n" of "-ngl": an option of one letter whose value is a number, and what is written behind it is none.
bool is_no_number(const CLI::App& command, const std::string& word) {
  const CLI::Option* option = command.get_option_no_throw(word.substr(0, 2));
  if (option == nullptr || option->get_expected_max() == 0) return false;
  const std::string type = option->get_type_name();
  const bool wants_number = type == "N" || type == "SEED" || type.starts_with("N:");
  const char c = word[2];
  return wants_number && !(c >= '0' && c <= '9') && c != '-' && c != '+' && c != '=';
}

}  // namespace

std::string_view known_elsewhere(std::string_view flag, const CLI::App& command) {
  for (const ForeignOption& foreign : kForeign) {
    if (!foreign.only_with.empty() && !has_name(command, std::string(foreign.only_with))) continue;
    if (has_word(foreign.names, flag)) return foreign.reason;
  }
  return {};
}

Result<void> refuse_foreign_options(const std::vector<std::string>& words, const CLI::App& command) {
  const auto refuse = [&](std::string_view flag, std::string_view advice) {
    return fail(ErrorCode::usage, "{0}: unknown option \"{1}\"{2}; see tern {0} --help", command.get_name(),
                printable(flag), advice);
  };
  for (std::size_t i = 0; i < words.size() && words[i] != "--"; ++i) {
    const std::string& word = words[i];
    if (!word.starts_with('-') || word.size() < 2) continue;
    const std::string flag = word.substr(0, word.find('='));
    if (word.size() > 2 && word[2] == '=' && takes_value_but_text(command, flag)) {
      return fail(ErrorCode::usage, "{0}: \"{1}\": write {2} {3}; see tern {0} --help", command.get_name(),
                  printable(word), flag, printable(word.substr(3)));
    }
    if (const CLI::Option* known = command.get_option_no_throw(flag); known != nullptr) {
      if (known->get_expected_min() > 0 && flag == word) ++i;  // its value
      continue;
    }
    if (const auto reason = known_elsewhere(flag, command); !reason.empty())
      return refuse(flag, fmt::format(": {}", reason));
    if (flag.starts_with("--") || flag.size() < 3) continue;
    if (has_name(command, "-" + flag)) return refuse(flag, fmt::format(" (did you mean -{}?)", flag));
    if (is_no_number(command, word)) return refuse(flag, "");
  }
  return {};
}

}  // namespace tern::cli
