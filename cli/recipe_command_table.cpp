#include "cli/recipe_command_table.h"

#include "cli/recipe_commands.h"

namespace automodel::cli {
namespace {

const RecipeOption kJson = {"json", "", "Print JSON"};

const std::vector<RecipeOption> kTrainOptions = {
    {"nproc-per-node", "N", "Ranks on this machine; 1 is what works today"},
    {"store",
     "FILE",
     "Record the run in this file; none: nowhere (AUTOMODEL_RUNS, else ~/.local/state/automodel/runs.db)"}};

constexpr const char* kTrainFooter =
    "Examples:\n"
    "  automodel finetune llm -c recipe.yaml\n"
    "  automodel finetune llm -c recipe.yaml --optimizer.lr 2e-5 --step_scheduler.max_steps=100\n"
    "  automodel finetune llm -c recipe.yaml --model.pretrained_model_name_or_path ./SmolLM2-135M\n"
    "  automodel recipe.yaml --checkpoint.enabled false\n"
    "A stopped run is started again with the same line: it goes on from the newest checkpoint.";

constexpr const char* kPretrainFooter =
    "Examples:\n"
    "  automodel pretrain llm -c recipe.yaml\n"
    "  automodel pretrain llm -c recipe.yaml --dataset.file_pattern 'shards/train_*.bin' --dataset.seq_len 1024";

constexpr const char* kBenchmarkFooter =
    "Examples:\n"
    "  automodel benchmark llm -c recipe.yaml\n"
    "  automodel benchmark llm -c recipe.yaml --benchmark.json_output_path times.json --benchmark.warmup_steps 3\n"
    "The recipe's dataset is MockIterableDataset; its rows are step_scheduler.local_batch_size a "
    "micro-batch, its tokens of the model's vocabulary.";

constexpr const char* kShowFooter =
    "Examples:\n"
    "  automodel config show -c recipe.yaml\n"
    "  automodel config show -c recipe.yaml --optimizer.lr 1e-5 --json\n"
    "Placeholders like ${HF_HOME} are shown as they stand; secrets are hidden.";

constexpr const char* kCheckFooter =
    "Examples:\n"
    "  automodel config check -c recipe.yaml\n"
    "  automodel config check -c recipe.yaml --distributed.tp_size 1 --json\n"
    "Status 0: accepted; 2: refused. Needs no network and no model files.";

const std::vector<RecipeOption> kDataShowOptions = {
    {"rows", "N", "The first N rows (3)"},
    {"row", "K", "Row K alone, from 0, as the log counts them"},
    {"validation", "", "The validation sets instead of the training set"},
    kJson};

constexpr const char* kDataShowFooter =
    "Lengths of the set, then rows as they are trained: the text that the tokens give, what is learnt in green,\n"
    "or in [[ ]] where standard output is no terminal. Rows come in the order of the files, before they are\n"
    "shuffled and packed. --json has the ids and the labels, shifted as training shifts them.\n"
    "Examples:\n"
    "  automodel data show -c recipe.yaml\n"
    "  automodel data show -c recipe.yaml --row 143\n"
    "  automodel data show -c recipe.yaml --rows 1 --dataset.mask_history true --json";

}  // namespace

const std::vector<RecipeCommandRow>& recipe_command_table() {
  static const std::vector<RecipeCommandRow> kRows = {
      {{"finetune"}, "llm", "Fine-tune a model as a recipe says", kTrainFooter, kTrainOptions, run_train},
      {{"pretrain"},
       "llm",
       "Train a model from random weights as a recipe says",
       kPretrainFooter,
       kTrainOptions,
       run_train},
      {{"benchmark"},
       "llm",
       "Time training steps on random tokens: seconds, TFLOP/s, share of the peak",
       kBenchmarkFooter,
       kTrainOptions,
       run_benchmark},
      {{"data", "show"},
       "",
       "Show rows of a recipe's data as they are trained: text, what is learnt, lengths",
       kDataShowFooter,
       kDataShowOptions,
       run_data_show},
      {{"config", "show"},
       "",
       "Print a recipe with its overrides applied",
       kShowFooter,
       {kJson},
       run_config_show},
      {{"config", "check"},
       "",
       "Say what happens to every key of a recipe",
       kCheckFooter,
       {kJson},
       run_config_check},
  };
  return kRows;
}

const RecipeCommandRow& bare_recipe_row() {
  static const RecipeCommandRow kRow = {{}, "", "", "", kTrainOptions, run_recipe_file};
  return kRow;
}

}  // namespace automodel::cli
