// The one list of commands. Adding one is its file and two lines here: its maker and its entry. A name may be two words
// ("tokenizer train"), whether or not its first word is a command too (cli/command_names.hpp).
// `tern --help` shows the groups in the order of their first command.
#pragma once

#include <array>

#include "cli/command.hpp"

namespace tern::cli {

std::unique_ptr<Command> make_bench();
std::unique_ptr<Command> make_chat();
std::unique_ptr<Command> make_completion();
std::unique_ptr<Command> make_convert();
std::unique_ptr<Command> make_data_pack();
std::unique_ptr<Command> make_doctor();
std::unique_ptr<Command> make_embed();
std::unique_ptr<Command> make_info();
std::unique_ptr<Command> make_join();
std::unique_ptr<Command> make_logits();
std::unique_ptr<Command> make_perplexity();
std::unique_ptr<Command> make_quantize();
std::unique_ptr<Command> make_run();
std::unique_ptr<Command> make_split();
std::unique_ptr<Command> make_sweep();
std::unique_ptr<Command> make_synth();
std::unique_ptr<Command> make_tokenize();
std::unique_ptr<Command> make_tokenizer_train();
std::unique_ptr<Command> make_train();
std::unique_ptr<Command> make_train_export();

inline constexpr std::array kCommands{
    CommandEntry{"run", "continue a text",
                 "tern run -m model.gguf -p \"Once upon a time\" -n 100\n"
                 "tern run -m model.gguf -f prompt.txt -n 200 --temp 0 --stop \"The end\"",
                 &make_run, "Use a model"},
    CommandEntry{"chat", "talk with a model in the terminal",
                 "tern chat -m model.gguf\n"
                 "tern chat -m model.gguf --system \"Answer in one sentence.\" --temp 0.7",
                 &make_chat, "Use a model"},
    CommandEntry{"embed", "turn texts into vectors, and compare them",
                 "tern embed -m model.gguf -p \"A cat sleeps.\" -p \"The kitten naps.\" --pooling mean\n"
                 "tern embed -m embedding.gguf -f sentences.txt -o vectors.npy",
                 &make_embed, "Use a model"},
    CommandEntry{"convert", "make a GGUF file from a Hugging Face folder, safetensors, PyTorch or llama2.c",
                 "tern convert bitnet-b1.58-2B-4T --dry-run\n"
                 "tern convert bitnet-b1.58-2B-4T --outfile bitnet.gguf --outtype i2_s\n"
                 "tern convert stories15M.bin --tokenizer tokenizer.bin --outfile stories.gguf --outtype f16",
                 &make_convert, "Make models"},
    CommandEntry{"quantize", "put a GGUF file's tensors into other formats",
                 "tern quantize in.gguf out.gguf Q4_K_M\n"
                 "tern quantize --tensor-type attn_v=Q8_0 --tensor-type ffn_down=Q6_K in.gguf out.gguf Q4_K_M\n"
                 "tern quantize --token-embedding-type Q6_K in.gguf out.gguf I2_S 1 1\n"
                 "tern quantize --dry-run in.gguf out.gguf TQ2_0",
                 &make_quantize, "Make models"},
    CommandEntry{"split", "divide a GGUF file into smaller ones, as llama.cpp's gguf-split does",
                 "tern split model.gguf model --split-max-size 2G\n"
                 "tern split model.gguf model --split-max-tensors 64 --no-tensor-first-split --dry-run",
                 &make_split, "Make models"},
    CommandEntry{"join", "make one GGUF file of the parts of a split model",
                 "tern join model-00001-of-00003.gguf joined.gguf", &make_join, "Make models"},
    CommandEntry{"synth", "a model with random weights in the shape of a real one, to measure speed with",
                 "tern synth tiny random.gguf --type TQ2_0 --embedding Q6_K\n"
                 "tern synth bitnet-2b-4t narrow.gguf --layers 1 --vocab 1000 --hidden 640 --ff 1728",
                 &make_synth, "Make models"},
    CommandEntry{"tokenizer train", "learn a byte-level BPE tokenizer from texts, with Hugging Face's merges",
                 "tern tokenizer train book.txt --vocab-size 512 -o my-tokenizer\n"
                 "tern tokenizer train book.txt ptb.txt --vocab-size 600 -o words.json --special \"<|end|>\"",
                 &make_tokenizer_train, "Train"},
    CommandEntry{"data pack", "make the data set that training reads: texts as tokens, with held-out parts",
                 "tern data pack book.txt --tokenizer tokenizer.json -o book-data --separator \"\"\n"
                 "tern data pack a=book.txt b=ptb.txt --valid a=wiki.test.raw --tokenizer tokenizer.json -o mixed-data",
                 &make_data_pack, "Train"},
    CommandEntry{"train", "train a float, ternary or binary model on packed texts",
                 "tern train --preset bitnet-b1.58 --data my-data -o my-run\n"
                 "tern train --resume --data my-data -o last-run\n"
                 "tern train --preset llama --show-recipe",
                 &make_train, "Train"},
    CommandEntry{"train export", "a training run's model as a GGUF file or a Hugging Face folder",
                 "tern train export last-run -o trained.gguf\n"
                 "tern train export last-run -o my-model --outtype hf",
                 &make_train_export, "Train"},
    CommandEntry{"bench", "how fast a model runs, and how near that is to what the machine can do",
                 "tern bench -m model.gguf\n"
                 "tern bench -m model.gguf -p 128,512 -n 32 -t 1,2 -o json\n"
                 "tern bench --matmul 2560x1x2560 --type I2_S,Q4_K",
                 &make_bench, "Measure"},
    CommandEntry{"perplexity", "measure how well a model predicts texts, as llama.cpp does",
                 "tern perplexity -m model.gguf -f wiki.test.raw\n"
                 "tern perplexity -m model.gguf -f ptb.txt news.csv --chunks 20 --json",
                 &make_perplexity, "Measure"},
    CommandEntry{"sweep", "compare formats of the embedding: quality, size, memory, speed, and a verdict",
                 "tern sweep -m model.gguf --embedding F32,F16,Q8_0,Q6_K,Q4_0 --data wiki.test.raw news.csv\n"
                 "tern sweep -m model.gguf --data texts.jsonl --chunks 50 --report sweep.html",
                 &make_sweep, "Measure"},
    CommandEntry{"logits", "write a model's logits for given token ids, to check a conversion",
                 "tern logits -m model.gguf --ids 1,2,3 -o logits.npy", &make_logits, "Measure"},
    CommandEntry{"info", "what a GGUF file holds and what it needs to run",
                 "tern info model.gguf\n"
                 "tern info model.gguf --tensors --plan",
                 &make_info, "Look inside"},
    CommandEntry{"tokenize", "text to token ids",
                 "tern tokenize -m model.gguf -p \"Hello world\"\n"
                 "tern tokenize --tokenizer tokenizer.json -f book.txt --json",
                 &make_tokenize, "Look inside"},
    CommandEntry{"doctor", "what this processor can do, and a proof of every kernel against the scalar one",
                 "tern doctor", &make_doctor, "Look inside"},
    CommandEntry{"completion", "a script that teaches a shell to complete tern's commands and options",
                 "tern completion bash\n"
                 "tern completion zsh\n"
                 "tern completion fish",
                 &make_completion, "Help"},
};

}  // namespace tern::cli
