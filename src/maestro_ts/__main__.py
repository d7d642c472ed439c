"""``python -m maestro_ts``: the program, for what starts Python itself (torchrun)."""

from maestro_ts.cli.main import main

if __name__ == "__main__":
    main()
