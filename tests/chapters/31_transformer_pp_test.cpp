// Chapter 31: the catalogue of options.
#include "chapters/31_transformer_pp/catalogue.h"

#include "tests/testing.h"

using namespace tpp;

TEST_CASE("every option reads back what it printed", "[ch31]") {
  RunOptions odd;
  odd.learning_rate = 0.1234567890123456789;
  odd.seed = 18000000000000000000ULL;
  odd.text = "a file with = and \"quotes\".txt";
  odd.bias = true;
  odd.attention = "gqa:16";
  RunOptions copy;
  for (const OptionInfo& info : option_table()) {
    set_option(copy, info.name, get_option(odd, info.name));
  }
  CHECK(copy == odd);
  CHECK(options_from_metadata(to_metadata(odd)) == odd);
}

TEST_CASE("every member of RunOptions is in the table", "[ch31]") {
  // Two options that differ everywhere must differ in as many rows as the table has
  RunOptions a, b;
  for (const OptionInfo& info : option_table()) {
    switch (info.kind) {
      case OptionInfo::Kind::choice:
        set_option(b, info.name,
                   info.choices.front() == get_option(a, info.name) ? info.choices[1]
                                                                    : info.choices.front());
        break;
      case OptionInfo::Kind::flag:
        set_option(b, info.name, get_option(a, info.name) == "true" ? "false" : "true");
        break;
      case OptionInfo::Kind::text:
        set_option(b, info.name, "else");
        break;
      default:
        set_option(b, info.name, info.least > 0.5 ? "2" : "1");
        break;
    }
  }
  b.clip = 2, b.seed = 9;
  CHECK(differing_options(a, b).size() == option_table().size());
  CHECK(differing_options(a, a).empty());
}

TEST_CASE("a wrong value is refused with what would do", "[ch31]") {
  RunOptions o;
  const auto message = [&](const char* name, const char* value) -> std::string {
    try {
      set_option(o, name, value);
    } catch (const InputError& e) {
      return e.what();
    }
    return "accepted";
  };
  CHECK(message("norm", "batchnorm") ==
        "--norm wants one of rmsnorm, layernorm, scalenorm, and got \"batchnorm\"");
  CHECK(message("layers", "0") == "--layers wants a whole number from 1 to 1000, and got \"0\"");
  CHECK(message("layers", "4x").starts_with("--layers wants"));
  CHECK(message("lr", "nan").starts_with("--lr wants a number"));
  CHECK(message("lr", "-1").starts_with("--lr wants a number"));
  CHECK(message("attention", "gqa:0").starts_with("--attention wants"));
  CHECK(message("attention", "gqa:").starts_with("--attention wants"));
  CHECK(message("attention", "gqa:99999").starts_with("--attention wants"));
  CHECK(message("bias", "maybe").starts_with("--bias wants true or false"));
  CHECK(message("colour", "red") == "there is no option --colour; --help lists them");
  CHECK(o == RunOptions{});
}

TEST_CASE("recipes set the parts and leave the training alone", "[ch31]") {
  RunOptions o;
  o.learning_rate = 0.5;
  o.text = "copy";
  apply_recipe(o, "gpt");
  CHECK(o.norm == "layernorm");
  CHECK(o.position == "learned");
  CHECK(o.attention == "mha");
  CHECK(o.ffn == "gelu");
  CHECK(o.bias);
  CHECK(o.learning_rate == 0.5);
  CHECK(o.text == "copy");
  apply_recipe(o, "llama");
  o.learning_rate = RunOptions{}.learning_rate, o.text = RunOptions{}.text;
  CHECK(o == RunOptions{});
  CHECK_THROWS_AS(apply_recipe(o, "bert"), InputError);
}

TEST_CASE("the default model has the sizes that the book speaks of", "[ch31]") {
  const ModelConfig cfg = model_config({}, 256);
  CHECK(cfg.layers == 4);
  CHECK(cfg.D == 128);
  CHECK(cfg.H == 4);
  CHECK(cfg.G == 2);
  CHECK(cfg.F == 344);
  CHECK(cfg.T == 128);
  // 256·128 + 4·(128 + 256·128 + 128·128 + 128 + 688·128 + 128·344) + 128
  CHECK(make_model<float>({}, 256)->table().numbers() == 758912);
  RunOptions gpt;
  apply_recipe(gpt, "gpt");
  CHECK(model_config(gpt, 256).F == 512);
}
