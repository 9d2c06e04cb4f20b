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

TEST_CASE("a checkpoint from before a scaling of rope reads as unscaled", "[ch31]") {
  RunOptions scaled;
  scaled.rope_base = 500;
  scaled.rope_scaling = "yarn", scaled.rope_factor = 4, scaled.rope_trained = 64;
  Metadata metadata = to_metadata(scaled);
  CHECK(options_from_metadata(metadata) == scaled);
  const RopeConfig config = rope_config(scaled);
  CHECK(config.scaling.kind == RopeScaling::Kind::yarn);
  CHECK(config.scaling.factor == 4);
  CHECK(config.scaling.trained == 64);
  for (const char* name : {"scaling", "factor", "trained"})
    REQUIRE(metadata.erase(std::string("option.rope-") + name) == 1);
  const RopeConfig older = rope_config(options_from_metadata(metadata));
  CHECK(older.base == 500);
  CHECK(older.scaling.kind == RopeScaling::Kind::none);
  CHECK(older.scaling.factor == 1);
}

TEST_CASE("a scaling of rope reaches the model", "[ch31]") {
  RunOptions o;
  o.layers = 1, o.width = 16, o.heads = 2, o.length = 8;
  o.rope_factor = 4;
  const auto rotated = [&](const char* scaling) {
    set_option(o, "rope-scaling", scaling);
    Tape<double> tape;
    const Pass<double> pass{tape, 8, {}};
    const Parts<double> parts = make_parts<double>(o);
    ParameterTable table;
    const Position<double> position = parts.position.build(table, model_config(o, 256));
    const Var<double> x = tape.variable(Mat<double>::Ones(8, 8), "x");
    return Mat<double>(position.rotate(pass, x, "y").value());
  };
  const Mat<double> none = rotated("none"), linear = rotated("linear");
  CHECK(none.row(1) != linear.row(1));
  CHECK((linear.row(4) - none.row(1)).norm() <= 1e-14);
  CHECK(std::abs(rotated("yarn").row(3).norm() / none.row(3).norm() - (0.1 * std::log(4.0) + 1)) <=
        1e-14);
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
