"""Made ministry.xls beside it, in a throw-away environment with xlwt 1.3.0; the figures are invented."""

from pathlib import Path

import xlwt

FIXED = [
    *("Code du département", "Libellé du département", "Inscrits", "Abstentions", "% Abs/Ins", "Votants", "% Vot/Ins"),
    *("Blancs", "% Blancs/Ins", "% Blancs/Vot", "Nuls", "% Nuls/Ins", "% Nuls/Vot", "Exprimés", "% Exp/Ins"),
    "% Exp/Vot",
]
BLOCK = ["Sexe", "Nom", "Prénom", "Voix", "% Voix/Ins", "% Voix/Exp"]
ROUNDS = {
    "Tour 1": [("F", "ALPHA", "Ada", 200), ("M", "BÊTA", "Béla", 150), ("F", "D'ÉPSILON", "Zoé", 50)],
    "Tour 2": [("F", "ALPHA", "Ada", 230), ("M", "BÊTA", "Béla", 170)],
}
AREAS = [(1.0, "Ain"), ("2A", "Corse-du-Sud"), ("ZX", "Saint-Martin/Saint-Barthélemy"), ("ZZ", "Hors de France")]

book = xlwt.Workbook(encoding="utf-8")
notes = book.add_sheet("Notice")
notes.write(0, 0, "Ce classeur ne contient que des chiffres inventés.")
for title, candidates in ROUNDS.items():
    sheet = book.add_sheet(title)
    for number, line in enumerate(["Élection du Président de la République", title, "Résultats par département"]):
        sheet.write(number, 0, line)
    for column, name in enumerate(FIXED + BLOCK * len(candidates)):
        sheet.write(3, column, name)
    for number, (code, label) in enumerate(AREAS):
        times = number + 1
        row = [code, label, *(500.0 * times, 80.0 * times, 16.0, 420.0 * times, 84.0)]
        row += [12.0 * times, 2.4, 2.86, 8.0 * times, 1.6, 1.9, 400.0 * times, 80.0, 95.24]
        for sex, name, first_name, votes in candidates:
            row += [sex, name, first_name, float(votes * times), votes / 5, votes / 4]
        for column, value in enumerate(row):
            sheet.write(4 + number, column, value)
book.save(str(Path(__file__).parent / "ministry.xls"))
